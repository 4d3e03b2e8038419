// The headers that every answer carries. What the page may do is said in wire/page-policy.ts, also to hosts
// that know nothing of headers.

import { pageHeaders } from '../wire/page-policy.ts';

/** WASM threads and precise clocks need an isolated page. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const ALWAYS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
};

/** For answers that are data: nothing in them may run. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** The microphone is the page's one wish. */
const PERMISSIONS = 'microphone=(self), camera=(), geolocation=(), display-capture=(self)';

/** Adds to `headers` what is not said yet. */
export function addSecurityHeaders(headers: Headers, kind: 'page' | 'data'): void {
  const all = {
    ...ALWAYS,
    ...ISOLATION,
    'Permissions-Policy': PERMISSIONS,
    'Content-Security-Policy': DATA_POLICY,
    ...(kind === 'page' && pageHeaders()),
  };
  for (const [name, value] of Object.entries(all)) if (!headers.has(name)) headers.set(name, value);
}
