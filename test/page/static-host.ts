// A host as dumb as they come: sends the files of a folder, or parts of them, and no header that the page asks
// for. It can be switched off, be slow, and publish another version of a file.

import { createReadStream, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
};

export interface StaticHost {
  /** Address of the folder: not at the root, where a page on such a host seldom lies. */
  readonly address: string;
  readonly origin: string;
  /** Files that are sent in place of those in the folder, by path. */
  readonly published: Map<string, string>;
  /** Every path inside the folder that was asked for. */
  readonly asked: string[];
  /** How fast a connection is, in bytes per second; no limit at first. */
  pace: number;
  /** Bytes of files that were handed to connections, by path. */
  readonly sent: Map<string, number>;
  switchOff(): Promise<void>;
}

/** Serves `folder`; `headers` go with every answer. */
export async function startStaticHost(
  folder: string,
  headers: Record<string, string> = {},
): Promise<StaticHost> {
  const published = new Map<string, string>();
  const asked: string[] = [];
  const sent = new Map<string, number>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const path = normalize(decodeURIComponent(pathname).replace(/^\/sotto\//, '')).replace(
      /^(\.|)$/,
      'index.html',
    );
    asked.push(path);
    const known = pathname.startsWith('/sotto/') && !path.startsWith('..') && request.method === 'GET';
    if (known) send(response, path, request.headers.range);
    else response.writeHead(request.method === 'OPTIONS' ? 204 : 404, headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const switchOff = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const host: StaticHost = {
    address: `${origin}/sotto/`,
    ...{ origin, published, asked, sent, pace: Infinity, switchOff },
  };
  return host;

  function send(response: ServerResponse, path: string, range: string | undefined): void {
    const other = published.get(path);
    const stats = statSync(join(folder, path), { throwIfNoEntry: false });
    if (other === undefined && stats?.isFile() !== true) return void response.writeHead(404, headers).end();
    const size = other === undefined ? (stats?.size ?? 0) : Buffer.byteLength(other);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
    const start = Number(from ?? 0);
    const partial = other === undefined && from !== undefined && start < size;
    const end = partial && to !== '' ? Math.min(Number(to) + 1, size) : size;
    response.writeHead(partial ? 206 : 200, {
      ...headers,
      'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
      'Content-Length': partial ? end - start : size,
      ...(partial && { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
      'Cache-Control': 'no-cache',
    });
    if (other !== undefined) return void response.end(other);
    const counted = (bytes: number): Promise<void> => {
      sent.set(path, (sent.get(path) ?? 0) + bytes);
      return host.pace === Infinity ? Promise.resolve() : sleep((1000 * bytes) / host.pace);
    };
    createReadStream(join(folder, path), partial ? { start, end: end - 1 } : {})
      .pipe(new Pace(counted))
      .pipe(response);
  }
}

/** Lets bytes through, and then waits as long as it is told to. */
class Pace extends Transform {
  readonly #passed: (bytes: number) => Promise<void>;

  constructor(passed: (bytes: number) => Promise<void>) {
    super();
    this.#passed = passed;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    void this.#passed(chunk.length).then(() => done(null, chunk));
  }
}
