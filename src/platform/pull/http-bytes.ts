// Ranges of a file on a server. Goes on where a connection broke off; refuses what is not that file.

import { joinBytes } from '../../bytes.ts';
import { AsrError } from '../../errors.ts';
import {
  type ByteAnswer,
  type HttpFetch,
  NoSuchFile,
  PassingFailure,
  type Patience,
  requestBytes,
} from '../install/http.ts';
import { Tries } from '../install/tries.ts';

export interface RangeReading {
  readonly url: string;
  readonly http: HttpFetch;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** Hears of every stretch that comes. */
  readonly onBytes: (bytes: number) => void;
  /** Hears of every failure that another try may get past. */
  readonly onTrouble: () => void;
}

/** What the first answer said of the file; later ones have to agree. */
export interface FileFacts {
  readonly totalBytes: number | undefined;
  readonly etag: string | undefined;
}

export interface RangeAnswer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly facts: FileFacts;
}

/**
 * Bytes [startByte, endByte) of the file; fewer where it ends before that.
 *
 * Fails with `source-unreachable` (refusals, silence, a web page, and what did not pass in `patience.tries`
 * tries), `source-no-ranges`, `source-changed` (size or ETag differ from `expected`), or as the signal says.
 */
export async function readRange(
  reading: RangeReading,
  startByte: number,
  endByte: number,
  expected?: FileFacts,
): Promise<RangeAnswer> {
  const { url, http, patience, signal } = reading;
  const tries = new Tries(patience, signal);
  const target = new Uint8Array(endByte - startByte);
  let facts = expected;
  let done = 0;
  for (;;) {
    try {
      const range = { startByte: startByte + done, endByte };
      const answer = await requestBytes(http, url, range, patience, signal);
      try {
        facts = agreed(answer, url, startByte + done, facts);
        const wanted = Math.min(endByte, facts.totalBytes ?? endByte) - startByte;
        for await (const part of answer.body) {
          const useful = part.subarray(0, wanted - done);
          target.set(useful, done);
          done += useful.length;
          reading.onBytes(useful.length);
          if (done === wanted) break;
        }
        if (done >= wanted) return { bytes: target.subarray(0, wanted), facts };
      } finally {
        answer.close();
      }
      throw new PassingFailure('source-unreachable', `${url} broke off after byte ${startByte + done}`);
    } catch (error) {
      if (error instanceof PassingFailure) reading.onTrouble();
      await tries.again(error, done);
    }
  }
}

/** What the answer says of the file, if it is the file that was asked for. */
function agreed(
  answer: ByteAnswer,
  url: string,
  askedByte: number,
  before: FileFacts | undefined,
): FileFacts {
  if (answer.contentType.includes('text/html')) {
    const found = `${url} answers with a web page (a sign-in page, perhaps) and not with the file`;
    throw new AsrError('source-unreachable', found);
  }
  if (!answer.partial || answer.startByte !== askedByte) {
    throw new AsrError('source-no-ranges', `${url} was asked for a part of the file and sends another`);
  }
  const { totalBytes, etag } = answer;
  if (before?.totalBytes !== undefined && totalBytes !== undefined && totalBytes !== before.totalBytes) {
    const found = `${url} now has ${totalBytes} bytes, had ${before.totalBytes}`;
    throw new AsrError('source-changed', found);
  }
  if (before?.etag !== undefined && etag !== undefined && etag !== before.etag) {
    throw new AsrError(
      'source-changed',
      `${url} is another file than before (ETag ${etag}, was ${before.etag})`,
    );
  }
  return { totalBytes: before?.totalBytes ?? totalBytes, etag: before?.etag ?? etag };
}

/**
 * A whole small file; undefined when there is none. Servers may ignore ranges here.
 * Fails like `readRange`, and with `checkpoint-malformed` when it is larger than `maxBytes`.
 */
export async function readSmallFile(
  reading: RangeReading,
  maxBytes: number,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly etag: string | undefined } | undefined> {
  const { url, http, patience, signal } = reading;
  const tries = new Tries(patience, signal);
  for (;;) {
    try {
      const answer = await requestBytes(http, url, { startByte: 0 }, patience, signal);
      try {
        return { bytes: await gather(answer, url, maxBytes), etag: answer.etag };
      } finally {
        answer.close();
      }
    } catch (error) {
      if (error instanceof NoSuchFile) return undefined;
      if (error instanceof PassingFailure) reading.onTrouble();
      await tries.again(error, 0);
    }
  }
}

async function gather(answer: ByteAnswer, url: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (answer.contentType.includes('text/html')) {
    throw new AsrError('source-unreachable', `${url} answers with a web page and not with the file`);
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body) {
    parts.push(part);
    bytes += part.length;
    if (bytes > maxBytes)
      throw new AsrError('checkpoint-malformed', `${url} has more than ${maxBytes} bytes`);
  }
  if (bytes < (answer.totalBytes ?? 0)) {
    throw new PassingFailure('source-unreachable', `${url} broke off after byte ${bytes}`);
  }
  return joinBytes(parts);
}
