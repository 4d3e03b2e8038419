// A browser worker, its own scope, or a MessagePort as an Endpoint.

import type { Endpoint } from '../thread/endpoint.ts';

/** What Worker, DedicatedWorkerGlobalScope and MessagePort have in common. */
interface Postable {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

export function workerEndpoint<Out, In>(worker: Postable): Endpoint<Out, In> {
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer] as Transferable[]),
    listen: (onMessage) => {
      worker.onmessage = (event: MessageEvent) => onMessage(event.data as In);
    },
  };
}
