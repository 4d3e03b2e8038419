// What the page is allowed to do, said once: the build writes it into index.html (static hosts), servers
// send it as headers, the service worker puts it on what it answers. SECURITY.md says what it promises.

/** Where official weights come from. A repository's files lie on one host, their bytes on another. */
export const WEIGHT_SOURCES = [
  'https://huggingface.co',
  'https://*.huggingface.co',
  'https://*.hf.co',
  'https://modelscope.cn',
  'https://*.modelscope.cn',
] as const;

/** `trusted-types`: ours (same-origin scripts only, no markup, no code) and the one for Svelte's own templates. */
export const TRUSTED_TYPES_POLICIES = ['default', 'svelte-trusted-html'] as const;

/**
 * The Content-Security-Policy. `opened` are origins that the user has opened for this page, a mirror or a
 * server of their own; nothing else on the network can be reached.
 */
export function contentPolicy(opened: readonly string[] = []): string {
  return Object.entries({
    'default-src': ["'none'"],
    'script-src': ["'self'", "'wasm-unsafe-eval'"],
    'worker-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'", 'blob:'],
    'media-src': ["'self'", 'blob:'],
    'manifest-src': ["'self'"],
    // A server is spoken to over a socket, too.
    'connect-src': [
      "'self'",
      ...WEIGHT_SOURCES,
      ...opened.flatMap((origin) => [origin, origin.replace(/^http/, 'ws')]),
    ],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'require-trusted-types-for': ["'script'"],
    'trusted-types': TRUSTED_TYPES_POLICIES,
  })
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join('; ');
}

/** Headers of every answer that is part of the page. What a meta tag cannot say is added: nobody may frame it. */
export function pageHeaders(opened: readonly string[] = []): Record<string, string> {
  return {
    'Content-Security-Policy': `${contentPolicy(opened)}; frame-ancestors 'none'`,
    // Isolated, so that WASM may use several threads.
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'microphone=(self), camera=(), geolocation=(), display-capture=(self)',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}

/** True where a page under policy `policy` may fetch from `origin`, given that it lies at `self`. */
export function mayFetch(policy: string, origin: string, self: string): boolean {
  if (origin === self) return true;
  const allowed = /(?:^|;\s*)connect-src ([^;]*)/.exec(policy)?.[1]?.split(' ') ?? [];
  return allowed.some((source) => {
    if (!source.startsWith('https://*.')) return source === origin;
    return origin.startsWith('https://') && origin.endsWith(source.slice('https://*'.length));
  });
}
