// A running hash in a worker of the browser.

import type { FromHashThread, ToHashThread } from '../../wire/hash-messages.ts';
import { hashInThread } from '../pull/hash-thread.ts';
import type { StartSha256 } from '../pull/resumable-sha256.ts';
import { workerEndpoint } from './worker-endpoint.ts';

/** `start` starts workers/hash.worker.ts. */
export function sha256InWorkers(start: () => Worker): StartSha256 {
  return (state) => {
    const worker = start();
    const crashed = new Promise<never>((_, reject) => {
      worker.onerror = (event) => reject(new Error(event.message || 'the thread could not be started'));
    });
    const endpoint = workerEndpoint<ToHashThread, FromHashThread>(worker);
    return hashInThread({ endpoint, crashed, end: () => worker.terminate() }, state);
  };
}
