// Everything that leaves the browser, whichever of its threads asks: an HTTP proxy that writes down every
// origin, lets requests to this machine pass and ends the others.

import { createServer, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Proxy {
  /** Origins in the order in which they were asked, once per request. */
  readonly asked: string[];
  /** Sends a Chromium's whole traffic through here, that to this machine included. */
  readonly browserArgs: readonly string[];
  close(): Promise<void>;
}

export async function startProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '');
    asked.push(url.origin);
    if (url.hostname !== '127.0.0.1') {
      response.writeHead(502).end();
      return;
    }
    const onward = sendRequest(url, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  // Encrypted requests name only the host, before anything is sent.
  server.on('connect', (request, socket) => {
    asked.push(`https://${request.url ?? ''}`);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    browserArgs: [`--proxy-server=http://127.0.0.1:${port}`, '--proxy-bypass-list=<-loopback>'],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
