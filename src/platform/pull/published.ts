// What a server publishes about its files: their SHA-256, their size, their licence.

import { type HttpFetch, type Patience, requestBytes } from '../install/http.ts';
import { knownLicence, type Repository } from './repository.ts';

/** A file as the repository lists it. */
export interface Published {
  readonly sha256: string;
  readonly bytes: number;
}

const MAX_LISTING_BYTES = 4_000_000;
const MAX_README_BYTES = 1_000_000;

/**
 * The hashes that a repository publishes, by path. Empty where it publishes none, or the list cannot be had:
 * then what comes is checked by its size and its ETag alone.
 */
export async function publishedFiles(
  repository: Repository,
  http: HttpFetch,
  patience: Patience,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Published>> {
  if (repository.listing === undefined) return new Map();
  const text = await readText(repository.listing, MAX_LISTING_BYTES, http, patience, signal);
  try {
    const json: unknown = JSON.parse(text ?? '[]');
    return new Map(repository.kind === 'hub' ? hubFiles(json) : modelscopeFiles(json));
  } catch {
    return new Map(); // a page in its place
  }
}

/** `[{ path, size, lfs: { oid } }, …]` */
function hubFiles(json: unknown): [string, Published][] {
  const files = json as { path?: unknown; size?: unknown; lfs?: { oid?: unknown } }[];
  return files.flatMap(({ path, size, lfs }) => published(path, lfs?.oid, size));
}

/** `{ Data: { Files: [{ Path, Size, Sha256 }, …] } }` */
function modelscopeFiles(json: unknown): [string, Published][] {
  const { Data } = json as { Data: { Files: { Path?: unknown; Size?: unknown; Sha256?: unknown }[] } };
  return Data.Files.flatMap(({ Path, Size, Sha256 }) => published(Path, Sha256, Size));
}

function published(path: unknown, sha256: unknown, bytes: unknown): [string, Published][] {
  const isHash = typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256);
  return typeof path === 'string' && isHash && Number.isSafeInteger(bytes)
    ? [[path, { sha256: sha256.toLowerCase(), bytes: bytes as number }]]
    : [];
}

/**
 * The hash that the hub tells in the headers of a file's first answer, before it redirects: for mirrors that
 * copy files but not lists. Browsers hide such answers; undefined then.
 */
export async function linkedHash(
  url: string,
  http: HttpFetch,
  signal: AbortSignal,
): Promise<Published | undefined> {
  try {
    const init = { headers: {}, signal, cache: 'no-store', referrerPolicy: 'no-referrer' } as const;
    const { headers } = await http(url, { ...init, method: 'HEAD', redirect: 'manual' });
    const sha256 = headers.get('x-linked-etag')?.replace(/^W\/|"/g, '');
    const [entry] = published(url, sha256, Number(headers.get('x-linked-size') ?? 'none'));
    return entry?.[1];
  } catch {
    signal.throwIfAborted();
    return undefined; // whoever reads the file hears of what is wrong
  }
}

/** What the repository's README says about its licence, else what is known of it. */
export async function licenceOf(
  repository: Repository,
  http: HttpFetch,
  patience: Patience,
  signal: AbortSignal,
): Promise<string | undefined> {
  const known = knownLicence(repository);
  if (known !== undefined) return known;
  const text = await readText(repository.url('README.md'), MAX_README_BYTES, http, patience, signal);
  const header = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text ?? '')?.[1];
  return /^licen[sc]e:[ \t]*["']?([\w. +-]+)/m.exec(header ?? '')?.[1]?.trim();
}

/** A small text; undefined when it cannot be had at the first try. */
async function readText(
  url: string,
  maxBytes: number,
  http: HttpFetch,
  patience: Patience,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const answer = await requestBytes(http, url, { startByte: 0 }, patience, signal);
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const part of answer.body) {
        text += decoder.decode(part, { stream: true });
        if (text.length > maxBytes) return undefined;
      }
    } finally {
      answer.close();
    }
    return text;
  } catch {
    signal.throwIfAborted();
    return undefined; // nothing depends on it
  }
}
