// The headers that every answer carries. What the page may do is said here once for the whole server.

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

/** Where the page may fetch weights and send audio to is the reader's choice, so `connect-src` is wide; nothing else is. */
const PAGE_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "connect-src 'self' https: http: ws: wss: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** For answers that are data: nothing in them may run. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** The microphone is the page's one wish. */
const PERMISSIONS = 'microphone=(self), camera=(), geolocation=(), display-capture=(self)';

/** Adds to `headers` what is not said yet. */
export function addSecurityHeaders(headers: Headers, kind: 'page' | 'data'): void {
  const policy = kind === 'page' ? PAGE_POLICY : DATA_POLICY;
  const all = {
    ...ALWAYS,
    ...ISOLATION,
    'Permissions-Policy': PERMISSIONS,
    'Content-Security-Policy': policy,
  };
  for (const [name, value] of Object.entries(all)) if (!headers.has(name)) headers.set(name, value);
}
