// An engine on a companion server: the same `Engine` interface, the same messages as a worker's, over a
// WebSocket. The reader chose it, and the page says so as long as it is used: audio leaves this device.

import { AsrError } from '../../errors.ts';
import type { Engine, LoadEvent } from '../../engine/engine.ts';
import { Fields } from '../../fields.ts';
import {
  SOCKET_PATH,
  SOCKET_PROTOCOL,
  type ServerRequest,
  type ToServer,
  decodeFromServer,
  encodeToServer,
} from '../../wire/socket-frames.ts';
import type { FromWorker } from '../../wire/worker-messages.ts';
import { connectEngine } from '../thread/engine-client.ts';

export interface ServerAddress {
  /** `http://localhost:7860/`, or wherever the page itself came from. */
  readonly url: string;
  /** Where the server wants a key. */
  readonly key?: string;
  /** A model's name; without one, the server's own choice. */
  readonly model?: string;
}

export interface ServerInfo {
  readonly version: string;
  /** Names of its models, the one for who names none first. */
  readonly models: readonly string[];
}

/** What of a WebSocket is used; Node's tests bring their own. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: string | ArrayBuffer): void;
  close(): void;
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
}

export type OpenSocket = (url: string, protocols: string[]) => SocketLike;

const OPEN = 1;

/**
 * Asks who is there. Fails with `source-unreachable` where nobody answers (or the server does not let this
 * page's origin read), with `endpoint-refused` where it is no Sotto, or one that this page does not speak with.
 */
export async function probeServer({ url }: ServerAddress, signal?: AbortSignal): Promise<ServerInfo> {
  const address = new URL('healthz', url).href;
  const response = await fetch(address, { ...(signal && { signal }) }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new AsrError('source-unreachable', `${url} does not answer`, { cause });
  });
  const json: unknown = response.ok ? await response.json().catch(() => undefined) : undefined;
  try {
    const fields = new Fields(json, 'healthz', 'endpoint-refused');
    if (fields.integer('protocol', 1) !== SOCKET_PROTOCOL) fields.refuse('protocol', 'is another one');
    return { version: fields.string('version'), models: fields.strings('models') };
  } catch (cause) {
    throw new AsrError('endpoint-refused', `${url} is no server that this page speaks with`, { cause });
  }
}

/** Connects to a server's engine and waits until its model is loaded. Fails as `probeServer` and the engine do. */
export async function connectServer(
  { url, key, model = '' }: ServerAddress,
  onLoad?: (event: LoadEvent) => void,
  openSocket: OpenSocket = (address, protocols) => new WebSocket(address, protocols),
): Promise<Engine> {
  const address = new URL(SOCKET_PATH, url);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const protocols = ['sotto', ...(key === undefined ? [] : [`openai-insecure-api-key.${key}`])];
  const socket = openSocket(address.href, protocols);
  socket.binaryType = 'arraybuffer';
  const closed = new Promise<never>((_, reject) => {
    const gone = (): void => reject(new AsrError('source-unreachable', `${url} has closed the connection`));
    socket.addEventListener('close', gone);
    socket.addEventListener('error', gone);
  });
  closed.catch(() => undefined); // told to whoever waits for something
  await Promise.race([
    closed,
    new Promise<void>((resolve) => socket.addEventListener('open', () => resolve())),
  ]);
  const endpoint = {
    post: (message: ToServer) => {
      if (socket.readyState === OPEN) socket.send(encodeToServer(message));
    },
    listen: (onMessage: (message: FromWorker) => void) => {
      socket.addEventListener('message', ({ data }) => onMessage(decodeFromServer(String(data))));
    },
  };
  const request: ServerRequest = { model };
  try {
    const terminate = (): void => socket.close();
    return await connectEngine(endpoint, { request, terminate, ...(onLoad && { onLoad }) }, closed);
  } catch (error) {
    socket.close();
    throw error;
  }
}
