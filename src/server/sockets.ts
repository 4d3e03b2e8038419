// WebSockets: OpenAI's Realtime transcription, and our own page's engine. Who may connect is decided as for
// requests, before anything is accepted.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { keyOf } from './access/guard.ts';
import type { ServerParts } from './app.ts';
import { serveEngine } from './engine-socket.ts';
import { serveRealtime } from './realtime/session.ts';
import { refusalOf } from './refusal.ts';

/** A second of audio as base64, with room to spare; nobody sends more at once. */
const MAX_MESSAGE_BYTES = 4 << 20;

/** Browsers cannot set headers on a socket; their key comes as a sub-protocol. */
const KEY_PROTOCOL = 'openai-insecure-api-key.';

type Serve = (socket: WebSocket, asker: string, url: URL) => void;

export interface Sockets {
  close(): void;
}

export function serveSockets(server: Server, parts: ServerParts): Sockets {
  const accept = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (asked) => [...asked].find((name) => !name.startsWith(KEY_PROTOCOL)) ?? false,
  });
  const routes: Readonly<Record<string, Serve>> = {
    '/v1/realtime': (socket, asker, url) => serveRealtime(socket, asker, url, parts),
    '/api/engine': (socket, asker) => serveEngine(socket, asker, parts),
  };
  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => stream.destroy());
    admit(request, parts).then(
      ({ asker, url }) => {
        const serve = routes[url.pathname];
        if (serve === undefined) return refuse(stream, 404, 'Not Found');
        accept.handleUpgrade(request, stream, head, (socket) => {
          socket.on('error', () => socket.terminate()); // a frame that is none: the peer is broken
          serve(socket, asker, url);
        });
      },
      (error: unknown) => {
        const { status, message } = refusalOf(error, (id, bug) =>
          parts.log.error({ bug: id, err: bug }, 'a bug'),
        );
        refuse(stream, status, message);
      },
    );
  });
  return {
    close: () => {
      for (const socket of accept.clients) socket.close(1001, 'The server is stopping');
      accept.close();
    },
  };
}

async function admit(
  request: IncomingMessage,
  { guard, rate }: ServerParts,
): Promise<{ readonly asker: string; readonly url: URL }> {
  const host = request.headers.host ?? '';
  guard.checkHost(host);
  guard.checkOrigin(request.headers.origin, host, true);
  const address = request.socket.remoteAddress ?? 'unknown';
  await rate.check(address, 'attempt');
  const asker = guard.checkKey(keyFrom(request)) ?? address;
  await rate.check(asker, 'request');
  return { asker, url: new URL(request.url ?? '/', 'http://localhost') };
}

function keyFrom({ headers }: IncomingMessage): string | undefined {
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const shown = protocols.find((name) => name.startsWith(KEY_PROTOCOL))?.slice(KEY_PROTOCOL.length);
  const apiKey = headers['x-api-key'];
  return keyOf(headers.authorization, typeof apiKey === 'string' ? apiKey : undefined) ?? shown;
}

function refuse(stream: Duplex, status: number, message: string): void {
  const body = `${message}\n`;
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  stream.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
