// One request for the bytes of a file from some position on, and what its answer means.
//
// Always asked with a Range, also from byte 0: it keeps servers and caches from compressing the answer, whose
// positions would then mean nothing. No If-Range: browsers ask other origins for permission to send it, which
// plain file hosts refuse; whoever reads looks at `etag`, or trusts hashes.

import { AsrError, type AsrErrorCode } from '../../errors.ts';
import { follower, within } from './waiting.ts';

/** What we use of `fetch`; the global one fits in browsers and on Node. */
export type HttpFetch = (
  url: string,
  init: {
    headers: Record<string, string>;
    signal: AbortSignal;
    cache: 'no-store';
    referrerPolicy: 'no-referrer';
    method?: 'HEAD';
    redirect?: 'manual';
  },
) => Promise<HttpAnswer>;

export interface HttpAnswer {
  readonly status: number;
  /** Where the answer came from in the end, after redirects. */
  readonly url?: string;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): ByteReader } | null;
}

interface ByteReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** How patient we are. */
export interface Patience {
  /** Without a byte for so long, a connection counts as dead. */
  readonly stallSeconds: number;
  /** Pause before the second try; doubles up to `maxPauseSeconds`. */
  readonly firstPauseSeconds: number;
  readonly maxPauseSeconds: number;
  /** Tries in a row that bring nothing, before we give up. */
  readonly tries: number;
}

export const PATIENCE: Patience = { stallSeconds: 30, firstPauseSeconds: 0.5, maxPauseSeconds: 15, tries: 8 };

/** A failure that another try may get past. */
export class PassingFailure extends Error {
  override readonly name = 'PassingFailure';
  readonly code: AsrErrorCode;
  /** The server's own wish. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: AsrErrorCode,
    message: string,
    options?: { cause?: unknown; retryAfterSeconds?: number },
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}

/** The server says that there is no such file. */
export class NoSuchFile extends AsrError {
  constructor(url: string, status: number) {
    super('source-unreachable', `${url} answers ${status}: it is not there`);
  }
}

/** An answer whose body may be read. */
export interface ByteAnswer {
  /** Where the body starts in the file: 0 when the server ignores ranges. */
  readonly startByte: number;
  /** False when the server ignores ranges and sends the whole file. */
  readonly partial: boolean;
  /** Size of the whole file, where the server says so. */
  readonly totalBytes: number | undefined;
  readonly etag: string | undefined;
  readonly contentType: string;
  /** Body as it comes. Ends early without an error when the server does. Fails with `PassingFailure`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of the connection; due also when the body was not read. */
  close(): void;
}

/**
 * Asks for the file from `startByte` on, to `endByte` (exclusive) if given.
 *
 * Fails with `PassingFailure` (network, 408, 425, 429, 5xx, silence), with `source-unreachable` (other refusals),
 * with `source-changed` (416: there is no such position in the file), or as the signal says.
 */
export async function requestBytes(
  http: HttpFetch,
  url: string,
  range: { readonly startByte: number; readonly endByte?: number },
  patience: Patience,
  signal: AbortSignal,
): Promise<ByteAnswer> {
  const { controller, release } = follower(signal);
  const close = (): void => {
    release();
    controller.abort();
  };
  try {
    const last = range.endByte === undefined ? '' : range.endByte - 1;
    const request = http(url, {
      headers: { Range: `bytes=${range.startByte}-${last}` },
      signal: controller.signal,
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    });
    const answer = await within(patience.stallSeconds, request, () => silence(url, patience));
    refuse(answer, url);
    refuseDowngrade(answer, url);
    const body = readBody(answer, url, patience, close, signal);
    return { ...describe(answer, url, range.startByte), body, close };
  } catch (error) {
    close();
    signal.throwIfAborted();
    throw passing(error, url);
  }
}

async function* readBody(
  answer: HttpAnswer,
  url: string,
  patience: Patience,
  close: () => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = answer.body?.getReader();
  try {
    for (;;) {
      const next = await within(patience.stallSeconds, read(reader), () => silence(url, patience));
      if (next.done) return;
      if (next.value !== undefined) yield next.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw passing(error, url);
  } finally {
    close();
  }
}

async function read(
  reader: ByteReader | undefined,
): Promise<{ done: boolean; value?: Uint8Array | undefined }> {
  return reader === undefined ? { done: true } : reader.read();
}

function refuse({ status, headers }: HttpAnswer, url: string): void {
  if (status === 200 || status === 206) return;
  const answer = `${url} answers ${status}`;
  if (status === 416) throw new AsrError('source-changed', `${url} is shorter than it should be`);
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterSeconds = parseRetryAfter(headers.get('retry-after'));
    throw new PassingFailure(
      'source-unreachable',
      answer,
      retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
    );
  }
  if (status === 404 || status === 410) throw new NoSuchFile(url, status);
  const why = status === 401 || status === 403 ? ': no access' : '';
  throw new AsrError('source-unreachable', answer + why);
}

/** A redirect may lead to another host (mirrors send people to their nearest copy), but not out of encryption. */
function refuseDowngrade({ url: arrived = '' }: HttpAnswer, url: string): void {
  if (!url.startsWith('https:') || !arrived.startsWith('http:')) return;
  const host = new URL(arrived).host;
  throw new AsrError('source-unreachable', `${url} redirects to ${host} without encryption`);
}

function describe(
  { status, headers }: HttpAnswer,
  url: string,
  askedByte: number,
): Omit<ByteAnswer, 'body' | 'close'> {
  const etag = headers.get('etag') ?? undefined;
  const contentType = headers.get('content-type') ?? '';
  if (status === 200) {
    const length =
      headers.get('content-encoding') === null ? parseWhole(headers.get('content-length')) : undefined;
    return { startByte: 0, partial: false, totalBytes: length, etag, contentType };
  }
  // Other origins may hide the header from a page; then we take the server at its word.
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  const partial = true;
  if (range === null) return { startByte: askedByte, partial, totalBytes: undefined, etag, contentType };
  const startByte = Number(range[1]);
  if (startByte > askedByte) {
    throw new PassingFailure('source-no-ranges', `${url} answers from byte ${startByte}, not ${askedByte}`);
  }
  return { startByte, partial, totalBytes: parseWhole(range[2] ?? null), etag, contentType };
}

function parseWhole(text: string | null): number | undefined {
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Seconds, or a date; undefined for anything else. */
function parseRetryAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

function silence(url: string, { stallSeconds }: Patience): PassingFailure {
  return new PassingFailure('source-unreachable', `${url} sent nothing for ${stallSeconds} s`);
}

/** `fetch` says "TypeError" for everything between a pulled cable and a forbidden redirect. */
function passing(error: unknown, url: string): Error {
  if (error instanceof AsrError || error instanceof PassingFailure) return error;
  const cause = (error as { cause?: unknown } | undefined)?.cause;
  const reason = [error, cause].flatMap((e) => (e instanceof Error ? [e.message] : [])).join(': ');
  return new PassingFailure('source-unreachable', `${url} cannot be read (${reason})`, { cause: error });
}
