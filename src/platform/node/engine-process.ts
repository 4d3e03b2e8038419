// The process that holds the engine (engine-client.ts starts it).

import { assert } from '../../errors.ts';
import type { LoadStage } from '../../engine/engine.ts';
import { createEngine } from '../../engine/create-engine.ts';
import { loadModel } from '../../model/load.ts';
import type { FromWorker, ToWorker } from '../../wire/worker-messages.ts';
import type { Endpoint } from '../thread/endpoint.ts';
import { hostEngine } from '../thread/engine-host.ts';
import type { NodeEngineRequest } from './engine-client.ts';
import { openModelDir } from './model-dir.ts';
import { createNodeRuntime } from './ort.ts';
import { nodeVoice } from './voice-model.ts';

hostEngine(parentProcess(), async ({ modelDir, provider, threads, seats }, onLoad) => {
  const onStage = (stage: LoadStage): void => onLoad({ type: 'stage', stage });
  onStage('files');
  const files = await openModelDir(modelDir);
  const runtime = createNodeRuntime({ provider, ...(threads !== undefined && { threads }) });
  try {
    const model = await loadModel(files, runtime, undefined, onStage);
    return createEngine(model, { ...(seats && { seats }), voice: await nodeVoice() });
  } catch (error) {
    await runtime.release();
    throw error;
  }
});

/** The process that forked this one. When it goes, so does this one. */
function parentProcess(): Endpoint<FromWorker, ToWorker<NodeEngineRequest>> {
  assert(process.send !== undefined, 'this file runs as a child process');
  process.once('disconnect', () => process.exit(0));
  // Ctrl-C in a terminal goes to all processes in it; the parent decides when this one ends.
  process.on('SIGINT', () => undefined);
  return {
    // Who cannot be told any more has gone, a moment before `disconnect` says so.
    post: (message) => process.send?.(message, (error: Error | null) => error && process.exit(0)),
    listen: (onMessage) => process.on('message', onMessage as (message: unknown) => void),
  };
}
