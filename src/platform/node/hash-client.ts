// A running hash in a worker thread of this process.

import type { FromHashThread, ToHashThread } from '../../wire/hash-messages.ts';
import { hashInThread } from '../pull/hash-thread.ts';
import type { StartSha256 } from '../pull/resumable-sha256.ts';
import { portEndpoint } from './port-endpoint.ts';
import { startThread } from './start-thread.ts';

export const startNodeSha256: StartSha256 = (state) => {
  const worker = startThread('hash-thread');
  const crashed = new Promise<never>((_, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`The hash's thread ended by itself (exit code ${code})`)));
  });
  const endpoint = portEndpoint<ToHashThread, FromHashThread>(worker);
  return hashInThread({ endpoint, crashed, end: () => void worker.terminate() }, state);
};
