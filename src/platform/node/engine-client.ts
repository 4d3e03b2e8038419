// An engine in a worker thread of this process.

import type { Engine, LoadEvent } from '../../engine/engine.ts';
import type { FromWorker, ToWorker } from '../../wire/worker-messages.ts';
import { connectEngine } from '../thread/engine-client.ts';
import type { NodeProvider } from './ort.ts';
import { portEndpoint } from './port-endpoint.ts';
import { startThread } from './start-thread.ts';

/** Which model on which device. */
export interface NodeEngineRequest {
  readonly modelDir: string;
  readonly provider: NodeProvider;
  /** Threads of one product; default: the cores that this process may use. */
  readonly threads?: number;
  /** Stretches decoded side by side; default 1: one job at a time. */
  readonly seats?: number;
}

/**
 * Starts a thread and loads a model in it.
 *
 * Fails like `openModelDir` and `loadModel`; the thread is then ended. `release` ends it too.
 */
export async function startEngine(
  request: NodeEngineRequest,
  onLoad?: (event: LoadEvent) => void,
): Promise<Engine> {
  const worker = startThread('engine-thread');
  const crashed = new Promise<never>((_, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`The engine's thread ended by itself (exit code ${code})`)),
    );
  });
  const terminate = async (): Promise<void> => {
    worker.removeAllListeners('exit');
    await worker.terminate();
  };
  try {
    const endpoint = portEndpoint<ToWorker<NodeEngineRequest>, FromWorker>(worker);
    return await connectEngine(endpoint, { request, terminate, ...(onLoad && { onLoad }) }, crashed);
  } catch (error) {
    await terminate();
    throw error;
  }
}
