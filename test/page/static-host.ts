// A host as dumb as they come: sends the files of a folder and no header that the page asks for. It can be
// switched off, and publish another version of a file.

import { createReadStream, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

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
  switchOff(): Promise<void>;
}

/** Serves `folder`; `headers` go with every answer. */
export async function startStaticHost(
  folder: string,
  headers: Record<string, string> = {},
): Promise<StaticHost> {
  const published = new Map<string, string>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const path = normalize(decodeURIComponent(pathname).replace(/^\/sotto\//, '')).replace(
      /^(\.|)$/,
      'index.html',
    );
    asked.push(path);
    const known = pathname.startsWith('/sotto/') && !path.startsWith('..') && request.method === 'GET';
    if (known) send(response, folder, path, published.get(path), headers);
    else response.writeHead(request.method === 'OPTIONS' ? 204 : 404, headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const switchOff = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `${origin}/sotto/`, origin, published, asked, switchOff };
}

function send(
  response: ServerResponse,
  folder: string,
  path: string,
  published: string | undefined,
  headers: Record<string, string>,
): void {
  const file = join(folder, path);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (published === undefined && stats?.isFile() !== true) {
    response.writeHead(404, headers).end();
    return;
  }
  response.writeHead(200, {
    ...headers,
    'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
    'Content-Length': published === undefined ? (stats?.size ?? 0) : Buffer.byteLength(published),
    'Cache-Control': 'no-cache',
  });
  if (published === undefined) createReadStream(file).pipe(response);
  else response.end(published);
}
