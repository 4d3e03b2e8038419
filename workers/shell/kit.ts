// What it takes to read without a network, besides the page itself: the sample model, the clips, the model
// that knows voices, and the one build of the runtime that this browser uses. Too much to hold up the first visit, so it is kept
// afterwards, when the page asks; and each file also when it is used before that.

import { createPartialResponse } from 'workbox-range-requests';
import { type BuiltFile, cacheKey, fetchFresh } from './versioned.ts';

const RUNTIME = /^assets\/ort-wasm-/;
const MODELS_AND_CLIPS = /^(models\/sample\/|clips\/|assets\/silero)/;

/** Kit, not shell. */
export function isKit({ url }: BuiltFile): boolean {
  return RUNTIME.test(url) || MODELS_AND_CLIPS.test(url);
}

interface FileAsked {
  readonly request: Request;
  /** Keeps the worker awake for it. */
  waitUntil(work: Promise<unknown>): void;
}

export class Kit {
  readonly #files: ReadonlyMap<string, BuiltFile>;
  readonly #scope: string;
  readonly #cacheName: string;

  constructor(files: readonly BuiltFile[], scope: string) {
    this.#files = new Map(files.map((file) => [new URL(file.url, scope).href, file]));
    this.#scope = scope;
    this.#cacheName = `sotto-kit:${scope}`;
  }

  has(address: string): boolean {
    return this.#files.has(address);
  }

  /** A file of the kit, from the cache or on its way into it. */
  async answer({ request, waitUntil }: FileAsked, address: string): Promise<Response> {
    const file = this.#files.get(address);
    if (file === undefined) return fetch(request);
    const cache = await caches.open(this.#cacheName);
    const key = cacheKey(file, this.#scope);
    let response = await cache.match(key);
    if (response === undefined) {
      response = await fetchFresh(file, this.#scope);
      // Without room for it, it is only used.
      waitUntil(cache.put(key, response.clone()).catch(() => undefined));
    }
    return request.headers.has('range') ? createPartialResponse(request, response) : response;
  }

  /**
   * Keeps what is not kept yet, file by file; of the runtime only `builds`. Fails at the first file that
   * cannot be had.
   */
  async keep(
    builds: ReadonlySet<string | undefined>,
    onKept: (keptFiles: number, totalFiles: number) => void = () => undefined,
  ): Promise<void> {
    const cache = await caches.open(this.#cacheName);
    const files = [...this.#files.values()].filter(
      ({ url }) => !RUNTIME.test(url) || builds.has(buildOf(url)),
    );
    let kept = 0;
    for (const file of files) {
      const key = cacheKey(file, this.#scope);
      if ((await cache.match(key)) === undefined) await cache.put(key, await fetchFresh(file, this.#scope));
      onKept(++kept, files.length);
    }
  }

  /** A new version is complete only with its own copies of what the old one kept. */
  async renew(): Promise<void> {
    const kept = await (await caches.open(this.#cacheName)).keys();
    if (kept.length > 0) await this.keep(new Set(kept.map(({ url }) => buildOf(url))));
  }

  /** Drops what belongs to versions of before. */
  async tidy(): Promise<void> {
    const cache = await caches.open(this.#cacheName);
    const current = new Set([...this.#files.values()].map((file) => cacheKey(file, this.#scope)));
    for (const request of await cache.keys()) if (!current.has(request.url)) await cache.delete(request);
  }
}

/** 'assets/ort-wasm-simd-threaded.jspi-Cz1x.wasm' → 'jspi' */
function buildOf(url: string): string | undefined {
  const name = /ort-wasm-simd-threaded(?:\.([a-z]+))?-[\w-]+\.(?:wasm|mjs)$/.exec(url);
  return name === null ? undefined : (name[1] ?? 'plain');
}
