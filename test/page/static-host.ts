// A host as dumb as they come: sends the files of a folder, no header that the page asks for. It can be
// switched off, and sent on to another folder, as when a new version is published.

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
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

export class StaticHost {
  folder: string;
  readonly address: string;
  /** Every path that was asked for. */
  readonly asked: string[] = [];
  readonly #close: () => Promise<void>;
  readonly #open: () => Promise<void>;

  private constructor(folder: string, address: string, open: () => Promise<void>, close: () => Promise<void>) {
    this.folder = folder;
    this.address = address;
    this.#open = open;
    this.#close = close;
  }

  /** Serves `folder` below `path`, which begins and ends with a slash: a page need not lie at the root. */
  static async start(folder: string, path = '/sotto/'): Promise<StaticHost> {
    const server = createServer((request, response) => answer(host, path, request, response));
    const listen = (port: number): Promise<void> =>
      new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    await listen(0);
    const { port } = server.address() as AddressInfo;
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    const host: StaticHost = new StaticHost(folder, `http://127.0.0.1:${port}${path}`, () => listen(port), close);
    return host;
  }

  switchOff(): Promise<void> {
    return this.#close();
  }

  switchOn(): Promise<void> {
    return this.#open();
  }
}

function answer(host: StaticHost, path: string, request: IncomingMessage, response: ServerResponse): void {
  const asked = decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname);
  host.asked.push(asked);
  const inside = asked.startsWith(path) ? normalize(asked.slice(path.length)) : '..';
  const file = join(host.folder, inside === '.' || inside === '' ? 'index.html' : inside);
  if (inside.startsWith('..') || request.method !== 'GET' || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    'Content-Length': statSync(file).size,
    'Cache-Control': 'no-cache',
  });
  createReadStream(file).pipe(response);
}
