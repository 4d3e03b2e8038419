// An engine in a process of its own: what goes wrong in native code ends that process and not ours, and
// when it ends every byte of memory, also the graphics card's, is free again.

import type { ChildProcess } from 'node:child_process';
import type { Engine, LoadEvent } from '../../engine/engine.ts';
import { AsrError } from '../../errors.ts';
import type { FromWorker, ToWorker } from '../../wire/worker-messages.ts';
import type { Endpoint } from '../thread/endpoint.ts';
import { connectEngine } from '../thread/engine-client.ts';
import type { NodeProvider } from './ort.ts';
import { startProcess } from './start-thread.ts';

/** Which model on which device. */
export interface NodeEngineRequest {
  readonly modelDir: string;
  readonly provider: NodeProvider;
  /** Threads of one product; default: the cores that this process may use. */
  readonly threads?: number;
  /** Stretches decoded side by side; default 1: one job at a time. */
  readonly seats?: number;
}

export interface EngineProcess {
  readonly engine: Engine;
  readonly pid: number;
  /** Settles when the process has ended, whatever the reason. */
  readonly ended: Promise<void>;
}

/**
 * Starts a process and loads a model in it. Fails like `openModelDir` and `loadModel`; the process is
 * then ended. `engine.release` ends it too. When it dies, open and later questions fail with `engine-died`.
 */
export async function startEngine(
  request: NodeEngineRequest,
  onLoad?: (event: LoadEvent) => void,
): Promise<EngineProcess> {
  const child = startProcess('engine-process');
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const crashed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new AsrError('engine-died', `the engine ended by itself (${signal ?? `exit code ${code}`})`)),
    );
  });
  const terminate = async (): Promise<void> => {
    child.kill('SIGKILL'); // it keeps nothing that could be lost
    await ended;
  };
  try {
    const endpoint = childEndpoint<ToWorker<NodeEngineRequest>, FromWorker>(child);
    const engine = await connectEngine(endpoint, { request, terminate, ...(onLoad && { onLoad }) }, crashed);
    return { engine, pid: child.pid ?? 0, ended };
  } catch (error) {
    await terminate();
    throw error;
  }
}

/** Messages are copied into the other process: typed arrays arrive as such, nothing is moved. */
function childEndpoint<Out, In>(child: ChildProcess): Endpoint<Out, In> {
  return {
    // A process that has just died cannot be told anything; its end is told by `crashed`.
    post: (message) => child.connected && child.send(message as object, () => undefined),
    listen: (onMessage) => {
      child.removeAllListeners('message');
      child.on('message', onMessage as (message: unknown) => void);
    },
  };
}
