// Who may ask: the right host name, an allowed origin, a key where keys are wanted, not too often.
//
// A page on any website can make a browser send requests to this machine. Three things keep it out: the
// Host header must be a name of this server (a name that somebody rebinds to 127.0.0.1 is none), the Origin
// must be the server's own or a listed one, and answers carry no permission for others to read them.

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { MiddlewareHandler } from 'hono';
import { AsrError } from '../../errors.ts';
import type { KeyRing } from './keys.ts';
import type { RateLimit } from './rate-limit.ts';

export interface AccessRules {
  readonly keys: KeyRing;
  /** Host names by which the server may be called, beside this machine's own and addresses. */
  readonly hosts: readonly string[];
  /** Origins of pages elsewhere that may use it (`https://example.org`). */
  readonly origins: readonly string[];
}

/** What is open to all: no audio goes in, no text comes out. */
const OPEN_PATHS = /^\/(healthz$|models\/|docs(\/|$)|openapi\.json$)/;

/** What clients talk to. Everything else is the page. */
const CLIENT_PATHS =
  /^\/(v1|gradio_api|api|config|info|queue|call|upload|file=|heartbeat|cancel|reset|metrics)(\/|$|\b)/;

export function needsKey(path: string): boolean {
  return CLIENT_PATHS.test(path) && !OPEN_PATHS.test(path);
}

export class Guard {
  readonly #rules: AccessRules;
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  constructor(rules: AccessRules) {
    this.#rules = rules;
    const own = hostname().toLowerCase();
    this.#hosts = new Set([
      'localhost',
      own,
      `${own}.local`,
      ...rules.hosts.map((name) => name.toLowerCase()),
    ]);
    this.#origins = new Set(rules.origins.map((origin) => new URL(origin).origin));
  }

  /** Fails with `not-allowed` when the request is addressed to a name that is not ours. */
  checkHost(host: string): void {
    const name = hostNameOf(host);
    // An address cannot be rebound; a name can.
    if (name !== undefined && (isIP(name) !== 0 || this.#hosts.has(name))) return;
    throw new AsrError('not-allowed', 'this server does not go by that host name (--allow-host)');
  }

  /** The foreign origin that may read the answer, if any. Fails with `not-allowed` for one that may not ask. */
  checkOrigin(origin: string | undefined, host: string, isWriting: boolean): string | undefined {
    if (origin === undefined) return undefined; // no browser, or a plain visit
    if (this.#origins.has(origin)) return origin;
    if (isOwn(origin, host)) return undefined;
    if (!isWriting) return undefined; // it may ask, and its browser will not let it read
    throw new AsrError('not-allowed', 'pages of that origin may not use this server (--allow-origin)');
  }

  /** The name of the key. Fails with `key-missing`. */
  checkKey(key: string | undefined): string | undefined {
    if (this.#rules.keys.isEmpty) return undefined;
    const name = key === undefined ? undefined : this.#rules.keys.nameOf(key);
    if (name !== undefined) return name;
    throw new AsrError(
      'key-missing',
      key === undefined ? 'this server wants a key' : 'that key is not known here',
    );
  }
}

/** The middleware in front of everything. `addressOf` tells where a request came from. */
export function guarded(
  guard: Guard,
  rate: RateLimit,
  addressOf: (c: Parameters<MiddlewareHandler>[0]) => string,
  setAsker: (c: Parameters<MiddlewareHandler>[0], asker: string) => void,
): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header('Host') ?? new URL(c.req.url).host;
    guard.checkHost(host);
    const reads = c.req.method === 'GET' || c.req.method === 'HEAD';
    const foreign = guard.checkOrigin(c.req.header('Origin'), host, !reads);
    if (c.req.method === 'OPTIONS' && foreign !== undefined) return preflight(foreign);
    const address = addressOf(c);
    let asker = address;
    if (needsKey(c.req.path)) {
      await rate.check(address, 'attempt');
      asker = guard.checkKey(keyOf(c.req.header('Authorization'), c.req.header('X-Api-Key'))) ?? address;
      if (!reads) await rate.check(asker, 'request');
    }
    setAsker(c, asker);
    await next();
    if (foreign !== undefined)
      for (const [name, value] of corsHeaders(foreign)) c.res.headers.set(name, value);
    return undefined;
  };
}

/** `Bearer KEY`, or the bare key of the other header. */
export function keyOf(authorization: string | undefined, apiKey: string | undefined): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1] ?? apiKey;
}

function preflight(origin: string): Response {
  const headers = new Headers(corsHeaders(origin));
  headers.set('Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, OPTIONS');
  headers.set(
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, X-Api-Key, X-Gradio-User, Range, If-Range',
  );
  headers.set('Access-Control-Max-Age', '600');
  // A page of the public web that its reader lets use a machine in the house.
  headers.set('Access-Control-Allow-Private-Network', 'true');
  return new Response(null, { status: 204, headers });
}

function corsHeaders(origin: string): [string, string][] {
  return [
    ['Access-Control-Allow-Origin', origin],
    [
      'Access-Control-Expose-Headers',
      'Content-Range, ETag, Retry-After, Sotto-Unused, Sotto-Warning, X-Request-Id',
    ],
    ['Cross-Origin-Resource-Policy', 'cross-origin'],
    ['Vary', 'Origin'],
  ];
}

function hostNameOf(host: string): string | undefined {
  try {
    return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  } catch {
    return undefined;
  }
}

function isOwn(origin: string, host: string): boolean {
  try {
    return new URL(origin).host.toLowerCase() === host.toLowerCase();
  } catch {
    return false; // `null`, or no origin at all
  }
}
