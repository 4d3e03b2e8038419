// The worker thread that holds the engine: onnxruntime-node blocks its thread while it computes.

import { parentPort } from 'node:worker_threads';
import { assert } from '../../errors.ts';
import type { LoadStage } from '../../engine/engine.ts';
import { createEngine } from '../../engine/create-engine.ts';
import { loadModel } from '../../model/load.ts';
import type { FromWorker, ToWorker } from '../../wire/worker-messages.ts';
import { hostEngine } from '../thread/engine-host.ts';
import type { NodeEngineRequest } from './engine-client.ts';
import { openModelDir } from './model-dir.ts';
import { createNodeRuntime } from './ort.ts';
import { portEndpoint } from './port-endpoint.ts';

assert(parentPort !== null, 'this file runs as a worker thread');

hostEngine(
  portEndpoint<FromWorker, ToWorker<NodeEngineRequest>>(parentPort),
  async ({ modelDir, provider, threads, seats }, onLoad) => {
    const onStage = (stage: LoadStage): void => onLoad({ type: 'stage', stage });
    onStage('files');
    const files = await openModelDir(modelDir);
    const runtime = createNodeRuntime({ provider, ...(threads !== undefined && { threads }) });
    try {
      return createEngine(await loadModel(files, runtime, undefined, onStage), { ...(seats && { seats }) });
    } catch (error) {
      await runtime.release();
      throw error;
    }
  },
);
