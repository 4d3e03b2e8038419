// A repository on a server as a source of pulls: small files at once, large ones by ranges.

import type { ByteSource } from '../../convert/byte-source.ts';
import { type HttpFetch, NoSuchFile, type Patience } from '../install/http.ts';
import { readSmallFile } from './http-bytes.ts';
import type { PullAttempt, PullFiles, PullSource } from './pull.ts';
import { linkedHash, licenceOf, type Published, publishedFiles } from './published.ts';
import { BLOCK_BYTES, PulledFile } from './pulled-file.ts';
import type { Repository } from './repository.ts';
import { startSha256 as inPlace, type StartSha256 } from './resumable-sha256.ts';
import { Spool } from './spool.ts';

export interface RemoteOptions {
  readonly http: HttpFetch;
  readonly patience: Patience;
  /** Blocks fetched at once. */
  readonly connections?: number;
  /** Where files are hashed; default: in this thread. */
  readonly startSha256?: StartSha256;
  /** For tests with small files. */
  readonly blockBytes?: number;
  readonly signal: AbortSignal;
}

const CONNECTIONS = 6;
/** tokenizer.json of the official checkpoint has 6.8 MB. */
const MAX_SMALL_BYTES = 64_000_000;

/** Looks at what a repository publishes. Fails only as the signal says: the weights' own answers tell the rest. */
export async function openRemoteSource(repository: Repository, options: RemoteOptions): Promise<PullSource> {
  const { http, patience, signal } = options;
  // A list or a README that cannot be had is done without; nobody waits long for it.
  const brief = { ...patience, stallSeconds: Math.min(10, patience.stallSeconds) };
  const [published, licence] = await Promise.all([
    publishedFiles(repository, http, brief, signal),
    licenceOf(repository, http, brief, signal),
  ]);
  return {
    name: repository.name,
    title: repository.title,
    about: {
      repository: repository.name.replace(/^\w+:|@[^@]*$/g, ''),
      ...(repository.revision !== undefined && { revision: repository.revision }),
      ...(licence !== undefined && { licence }),
    },
    open: (attempt) => remoteFiles(repository, published, options, attempt),
  };
}

function remoteFiles(
  repository: Repository,
  published: ReadonlyMap<string, Published>,
  {
    http,
    patience,
    connections = CONNECTIONS,
    blockBytes = BLOCK_BYTES,
    startSha256 = inPlace,
  }: RemoteOptions,
  { store, journal, meter, signal }: PullAttempt,
): PullFiles {
  const large: PulledFile[] = [];
  const readingOf = (path: string): Parameters<typeof readSmallFile>[0] => ({
    url: repository.url(path),
    ...{ http, patience, signal },
    onBytes: (bytes) => meter.received(path, bytes),
    onTrouble: () => meter.trouble(path),
  });
  const openLarge = async (path: string): Promise<ByteSource> => {
    const file = await PulledFile.open({
      path,
      journal,
      connections,
      blockBytes,
      startSha256,
      reading: readingOf(path),
      spool: await Spool.open(store, path),
      published: published.get(path) ?? (await linkedHash(repository.url(path), http, signal)),
    });
    large.push(file);
    return file;
  };
  return {
    open: (path) =>
      path.endsWith('.safetensors') ? orAbsent(() => openLarge(path)) : openSmall(path, readingOf(path)),
    settle: async () => {
      for (const file of large) await file.settle();
    },
    drop: async () => {
      for (const file of large) await file.drop();
    },
    verify: async () => {
      let all: true | undefined = true;
      for (const file of large) {
        meter.checking(file.name);
        all = (await file.verify(signal)) && all;
      }
      return all;
    },
    close: async () => {
      for (const file of large) await file.close();
    },
  };
}

async function openSmall(
  path: string,
  reading: Parameters<typeof readSmallFile>[0],
): Promise<ByteSource | undefined> {
  const found = await readSmallFile(reading, MAX_SMALL_BYTES);
  if (found === undefined) return undefined;
  const { bytes, etag } = found;
  return {
    name: path,
    bytes: bytes.length,
    ...(etag !== undefined && { version: etag }),
    read: async (offset, length) => bytes.slice(offset, offset + length),
  };
}

/** undefined where the server says that there is no such file. */
async function orAbsent(open: () => Promise<ByteSource>): Promise<ByteSource | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof NoSuchFile) return undefined;
    throw error;
  }
}
