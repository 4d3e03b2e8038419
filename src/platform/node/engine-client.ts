// An engine in a worker thread of this process.

import { Worker } from 'node:worker_threads';
import type { Engine } from '../../engine/engine.ts';
import type { FromWorker, ToWorker } from '../../wire/worker-messages.ts';
import { connectEngine } from '../thread/engine-client.ts';
import type { NodeProvider } from './ort.ts';
import { portEndpoint } from './port-endpoint.ts';

/** Which model on which device. */
export interface NodeEngineRequest {
  readonly modelDir: string;
  readonly provider: NodeProvider;
  /** Threads of one product; default: the cores that this process may use. */
  readonly threads?: number;
}

/**
 * Starts a thread and loads a model in it.
 *
 * Fails like `openModelDir` and `loadModel`; the thread is then ended. `release` ends it too.
 */
export async function startEngine(
  request: NodeEngineRequest,
  onStage?: (stage: string) => void,
): Promise<Engine> {
  const worker = new Worker(threadUrl(), { execArgv: threadIsSource() ? ['--import', 'tsx'] : [] });
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
    return await connectEngine(endpoint, { request, terminate, ...(onStage && { onStage }) }, crashed);
  } catch (error) {
    await terminate();
    throw error;
  }
}

/** Run from source, the thread is TypeScript; in the bundle it lies beside this file. */
function threadIsSource(): boolean {
  return import.meta.url.endsWith('.ts');
}

function threadUrl(): URL {
  return threadIsSource()
    ? new URL('./engine-thread.ts', import.meta.url)
    : new URL(/* @vite-ignore */ './engine-thread.js', import.meta.url);
}
