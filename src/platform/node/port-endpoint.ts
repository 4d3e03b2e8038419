// A Node worker thread, or its parent, as an Endpoint.

import type { MessagePort, Transferable, Worker } from 'node:worker_threads';
import type { Endpoint } from '../thread/endpoint.ts';

export function portEndpoint<Out, In>(port: MessagePort | Worker): Endpoint<Out, In> {
  return {
    post: (message, transfer = []) => port.postMessage(message, [...transfer] as Transferable[]),
    listen: (onMessage) => {
      port.removeAllListeners('message');
      port.on('message', onMessage);
    },
  };
}
