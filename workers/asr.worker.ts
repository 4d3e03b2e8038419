// The thread that holds the engine in the browser: builds it on web ports, speaks worker-messages.

import { hostEngine } from '../src/platform/thread/engine-host.ts';
import { browserLibrary } from '../src/platform/web/shard-store.ts';
import { storedModel } from '../src/platform/install/stored-model.ts';
import type { WebEngineRequest } from '../src/platform/web/engine-client.ts';
import { modelAtUrl } from '../src/platform/web/model-url.ts';
import { openWebEngine } from '../src/platform/web/open-engine.ts';
import { trustOwnScripts } from '../src/platform/web/trusted-types.ts';
import { workerEndpoint } from '../src/platform/web/worker-endpoint.ts';
import type { FromWorker, ToWorker } from '../src/wire/worker-messages.ts';

// ONNX Runtime starts threads of its own.
trustOwnScripts();

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;

hostEngine(workerEndpoint<FromWorker, ToWorker<WebEngineRequest>>(scope), ({ model, ...request }, onLoad) => {
  onLoad({ type: 'stage', stage: 'files' });
  const files =
    model.at === 'url' ? modelAtUrl(model.baseUrl) : storedModel(browserLibrary().store(model.id));
  const startVoice = (): Worker =>
    new Worker(new URL('./voice.worker.ts', import.meta.url), { type: 'module' });
  return openWebEngine({ ...request, files, startVoice }, onLoad);
});
