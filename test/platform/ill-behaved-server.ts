// A file server that can be told to misbehave, and counts what it sends. Real HTTP on a local port.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StandInModel } from './stand-in-model.ts';

export interface Asked {
  readonly path: string;
  readonly startByte: number;
  /** How many requests for this file came before. */
  readonly before: number;
}

/** What goes wrong with one answer. */
export type Fault =
  | { readonly type: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** The connection is torn down after so many bytes of the body. */
  | { readonly type: 'die'; readonly afterBytes: number }
  /** The body ends as if it were complete. */
  | { readonly type: 'end'; readonly afterBytes: number }
  /** Nothing more comes, and the connection stays open. */
  | { readonly type: 'stall'; readonly afterBytes: number }
  /** This byte of the file is wrong. */
  | { readonly type: 'wrong'; readonly atByte: number }
  | { readonly type: 'ignore-range' }
  | { readonly type: 'web-page' }
  /** Another size than the manifest says. */
  | { readonly type: 'other-size'; readonly totalBytes: number }
  | { readonly type: 'redirect'; readonly to: string }
  | { readonly type: 'etag'; readonly etag: string };

export interface IllBehavedServer {
  readonly origin: string;
  /** Of answers to requests for files of the model, without manifest.json. */
  sentBytes: number;
  readonly asked: Asked[];
  readonly headersSeen: Record<string, string>[];
  /** Of requests for files. */
  readonly methods: Set<string>;
  /** Decides what goes wrong with an answer; replaced at will. */
  fault: (asked: Asked) => Fault | undefined;
  /** For all connections together; Infinity at first, 0 to hold everything back. */
  bytesPerSecond: number;
  /** Further pages by their path. */
  readonly pages: Map<string, { type: string; body: string | Buffer; headers?: Record<string, string> }>;
  /** Tears down all connections, as when a cable is pulled. */
  cut(): void;
  close(): Promise<void>;
}

const SLICE_BYTES = 16 << 10;

/** What is served: bytes by path. */
export type ServedFiles = Pick<StandInModel, 'bytes' | 'sizeOf'>;

export async function startServer(model: ServedFiles): Promise<IllBehavedServer> {
  const http: Server = createServer((request, response) => void answer(request, response));
  const counts = new Map<string, number>();
  let dueAt = 0;
  const server: IllBehavedServer = {
    origin: '',
    sentBytes: 0,
    asked: [],
    headersSeen: [],
    methods: new Set(),
    fault: () => undefined,
    bytesPerSecond: Infinity,
    pages: new Map(),
    cut: () => http.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };

  /** Waits until another slice may go out. */
  async function pace(bytes: number): Promise<void> {
    while (server.bytesPerSecond === 0) await sleep(5);
    const now = performance.now();
    dueAt = Math.max(now, dueAt) + (bytes / server.bytesPerSecond) * 1000;
    if (dueAt - now > 2) await sleep(dueAt - now);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined); // the other side went away
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://local').pathname).replace(
      /^\/(model\/)?/,
      '',
    );
    const page = server.pages.get(path);
    if (page !== undefined) {
      response.writeHead(200, { 'content-type': page.type, ...page.headers }).end(page.body);
      return;
    }
    const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const asked = { path, startByte: Number(match?.[1] ?? 0), before: counts.get(path) ?? 0 };
    counts.set(path, asked.before + 1);
    server.asked.push(asked);
    server.methods.add(request.method ?? '');
    server.headersSeen.push(request.headers as Record<string, string>);
    const fault = server.fault(asked);
    const sizeBytes = model.sizeOf(path);
    response.setHeader('access-control-allow-origin', '*');
    if (fault?.type === 'redirect') {
      response.writeHead(302, { location: `${fault.to}/model/${path}` }).end();
    } else if (fault?.type === 'status') {
      response.writeHead(fault.status, fault.headers).end();
    } else if (fault?.type === 'web-page') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<h1>Please sign in</h1>');
    } else if (sizeBytes === undefined) {
      response.writeHead(404).end();
    } else {
      await sendFile(response, path, sizeBytes, fault?.type === 'ignore-range' ? undefined : match, fault);
    }
  }

  async function sendFile(
    response: ServerResponse,
    path: string,
    sizeBytes: number,
    range: RegExpExecArray | null | undefined,
    fault: Fault | undefined,
  ): Promise<void> {
    const startByte = Number(range?.[1] ?? 0);
    const endByte = range?.[2] ? Math.min(sizeBytes, Number(range[2]) + 1) : sizeBytes;
    const totalBytes = fault?.type === 'other-size' ? fault.totalBytes : sizeBytes;
    const etag = fault?.type === 'etag' ? fault.etag : '"one"';
    if (range && startByte >= sizeBytes) {
      response.writeHead(416, { 'content-range': `bytes */${sizeBytes}` }).end();
      return;
    }
    const length =
      fault?.type === 'end' ? {} : { 'content-length': String(range ? endByte - startByte : totalBytes) };
    const span = range ? { 'content-range': `bytes ${startByte}-${endByte - 1}/${totalBytes}` } : {};
    response.writeHead(range ? 206 : 200, {
      'content-type': 'application/octet-stream',
      etag,
      ...length,
      ...span,
    });
    const stopAfter = fault && 'afterBytes' in fault ? fault.afterBytes : Infinity;
    for (let at = startByte; at < endByte && !response.destroyed;) {
      const next = Math.min(endByte, at + SLICE_BYTES, startByte + stopAfter);
      if (next === at) return misbehave(response, fault);
      await send(response, path, at, next, fault);
      at = next;
    }
    response.end();
  }

  async function send(
    response: ServerResponse,
    path: string,
    startByte: number,
    endByte: number,
    fault: Fault | undefined,
  ): Promise<void> {
    await pace(endByte - startByte);
    if (response.destroyed) return;
    const bytes = model.bytes(path, startByte, endByte) ?? Buffer.alloc(0);
    if (fault?.type === 'wrong' && fault.atByte >= startByte && fault.atByte < endByte) {
      bytes.writeUInt8(bytes.readUInt8(fault.atByte - startByte) ^ 1, fault.atByte - startByte);
    }
    if (path !== 'manifest.json') server.sentBytes += bytes.length;
    if (response.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        response.off('drain', goOn).off('close', goOn);
        resolve();
      };
      response.once('drain', goOn).once('close', goOn);
    });
  }

  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return Object.assign(server, { origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
}

function misbehave(response: ServerResponse, fault: Fault | undefined): void {
  if (fault?.type === 'die') response.destroy();
  else if (fault?.type === 'end') response.end();
  // A stalled one is left open.
}
