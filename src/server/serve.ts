// START HERE. One process on one port: the page, the weights and every client.

import { serve } from '@hono/node-server';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsrError } from '../errors.ts';
import { createApp } from './app.ts';
import { ModelShelf, type ShelfPlaces } from './model-shelf.ts';

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** The built page (dist/page). */
  readonly pageDir: string;
  readonly models: ShelfPlaces;
  readonly version: string;
}

export interface RunningServer {
  /** What a person types: `http://localhost:7860`. */
  readonly address: string;
  /** Takes no new requests, lets those under way end, and goes. */
  close(): Promise<void>;
}

/** Starts the server. Fails with `port-taken`, naming a port that is free, or `port-refused`. */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const shelf = new ModelShelf(config.models);
  const app = createApp({ version: config.version, pageDir: config.pageDir, shelf });
  const server = await listen(app.fetch, config);
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://${nameOf(config.host)}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeIdleConnections' in server) server.closeIdleConnections();
      }),
  };
}

function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port }: ServerConfig,
): Promise<ReturnType<typeof serve>> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, () => resolve(server));
    server.once('error', (error: NodeJS.ErrnoException) => void refused(error, host, port).then(reject));
  });
}

async function refused(error: NodeJS.ErrnoException, host: string, port: number): Promise<AsrError> {
  if (error.code !== 'EADDRINUSE') {
    return new AsrError('port-refused', `port ${port} of ${host} cannot be opened (${error.code})`, {
      cause: error,
    });
  }
  const free = await freePort(host, port + 1);
  const advice = free === undefined ? '' : `; ${free} is free: --port ${free}`;
  return new AsrError('port-taken', `another program uses port ${port}${advice}`, { cause: error });
}

/** How many ports to look at for a free one. */
const PORTS_TO_TRY = 20;

async function freePort(host: string, first: number): Promise<number | undefined> {
  for (let port = first; port < Math.min(first + PORTS_TO_TRY, 65_536); port++) {
    if (await isFree(host, port)) return port;
  }
  return undefined;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

function nameOf(host: string): string {
  if (host === '127.0.0.1' || host === '::1' || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
