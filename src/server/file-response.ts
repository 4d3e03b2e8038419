// A file on disk as the answer to GET or HEAD: validators, one byte range, nothing held in memory.

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { getMimeType } from 'hono/utils/mime';

export interface FileOptions {
  readonly cacheControl: string;
  /** The validator with its quotes; without it, one made of size and time. */
  readonly etag?: string;
}

/** Hashed names never change what they hold. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** May be kept, and is asked after each time. */
export const REVALIDATE = 'no-cache';

/** Bytes [start, end). */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The file at `path`, or undefined where there is none (or a folder). */
export async function fileResponse(
  request: Request,
  path: string,
  { cacheControl, etag }: FileOptions,
): Promise<Response | undefined> {
  const stats = await statOf(path);
  if (stats === undefined) return undefined;
  const validator = etag ?? `"${stats.size.toString(36)}-${Math.floor(stats.mtimeMs).toString(36)}"`;
  const headers = new Headers({
    'Accept-Ranges': 'bytes',
    'Cache-Control': cacheControl,
    'Content-Type': typeOf(path),
    ETag: validator,
    'Last-Modified': new Date(stats.mtimeMs).toUTCString(),
  });
  if (matches(request.headers.get('If-None-Match'), validator))
    return new Response(null, { status: 304, headers });
  const wanted = rangeOf(request, validator, stats.size);
  if (wanted === 'unsatisfiable') {
    headers.set('Content-Range', `bytes */${stats.size}`);
    headers.delete('Content-Type');
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = wanted ?? { start: 0, end: stats.size };
  headers.set('Content-Length', String(end - start));
  if (wanted !== undefined) headers.set('Content-Range', `bytes ${start}-${end - 1}/${stats.size}`);
  const status = wanted === undefined ? 200 : 206;
  if (request.method === 'HEAD' || end === start) return new Response(null, { status, headers });
  return new Response(bytesOf(path, { start, end }), { status, headers });
}

async function statOf(path: string): Promise<{ size: number; mtimeMs: number } | undefined> {
  try {
    const file = await open(path);
    try {
      const stats = await file.stat();
      return stats.isFile() ? stats : undefined;
    } finally {
      await file.close();
    }
  } catch {
    // Not there, or not ours to read: the same to who asks.
    return undefined;
  }
}

function bytesOf(path: string, { start, end }: ByteRange): ReadableStream<Uint8Array> {
  const stream = createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 });
  return Readable.toWeb(stream);
}

function typeOf(path: string): string {
  return getMimeType(path) ?? 'application/octet-stream';
}

/** Weak comparison, as If-None-Match asks for. */
function matches(header: string | null, etag: string): boolean {
  if (header === null) return false;
  const bare = etag.replace(/^W\//, '');
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === bare);
}

/** The one range that is asked for; undefined: everything. Several ranges at once get everything, which is allowed. */
function rangeOf(request: Request, etag: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const header = request.headers.get('Range');
  if (header === null || request.method !== 'GET') return undefined;
  const condition = request.headers.get('If-Range');
  if (condition !== null && condition !== etag) return undefined;
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [from, to] = [match[1] ?? '', match[2] ?? ''];
  if (from === '') {
    const last = Number(to);
    return last === 0 ? 'unsatisfiable' : { start: Math.max(0, size - last), end: size };
  }
  const start = Number(from);
  const end = to === '' ? size : Math.min(size, Number(to) + 1);
  if (to !== '' && Number(to) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}
