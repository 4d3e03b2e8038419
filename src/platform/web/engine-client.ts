// An engine in a browser worker.

import type { Engine, LoadEvent } from '../../engine/engine.ts';
import type { GoldenClip } from '../../engine/self-check.ts';
import type { FromWorker, ToWorker } from '../../wire/worker-messages.ts';
import { connectEngine } from '../thread/engine-client.ts';
import type { DeviceWish } from './compute-path.ts';
import { workerEndpoint } from './worker-endpoint.ts';

/** Which model, from where, on which device. */
export interface WebEngineRequest {
  /** `stored`: in this browser's library, by its id. `url`: read straight from below that address. */
  readonly model:
    { readonly at: 'stored'; readonly id: string } | { readonly at: 'url'; readonly baseUrl: string };
  readonly device: DeviceWish;
  readonly threads?: number;
  readonly golden?: { readonly clip: GoldenClip; readonly exact: boolean };
}

/**
 * Loads a model in `worker` (workers/asr.worker.ts, which the door starts). Fails like `openWebEngine`;
 * the worker is then ended. `release` ends it too, which is the only way to get a WASM heap back.
 */
export async function connectWorker(
  worker: Worker,
  request: WebEngineRequest,
  onLoad?: (event: LoadEvent) => void,
): Promise<Engine> {
  const crashed = new Promise<never>((_, reject) => {
    worker.onerror = (event) =>
      reject(new Error(`The worker stopped: ${event.message || 'it could not be started'}`));
    worker.onmessageerror = () => reject(new Error('The worker sent something that cannot be read'));
  });
  const terminate = (): void => worker.terminate();
  try {
    const endpoint = workerEndpoint<ToWorker<WebEngineRequest>, FromWorker>(worker);
    return await connectEngine(endpoint, { request, terminate, ...(onLoad && { onLoad }) }, crashed);
  } catch (error) {
    terminate();
    throw error;
  }
}
