// The thread that turns a checkpoint into a model in the browser's storage.

import { toFailure } from '../src/platform/thread/failure.ts';
import { sha256InWorkers } from '../src/platform/web/hash-client.ts';
import type { FromConvertWorker, PullRequest, ToConvertWorker } from '../src/platform/web/pull-client.ts';
import { pullInTab } from '../src/platform/web/pull-in-tab.ts';
import { browserLibrary } from '../src/platform/web/shard-store.ts';
import { trustOwnScripts } from '../src/platform/web/trusted-types.ts';

// It starts a thread of its own.
trustOwnScripts();

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
const stop = new AbortController();

scope.onmessage = ({ data }: MessageEvent<ToConvertWorker>): void => {
  if (data.type === 'stop') stop.abort();
  else void pull(data.request);
};

async function pull({ origin, profile }: PullRequest): Promise<void> {
  const post = (message: FromConvertWorker): void => scope.postMessage(message);
  try {
    const { id } = await pullInTab(origin, browserLibrary(), {
      profile,
      startSha256: sha256InWorkers(
        () => new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module' }),
      ),
      signal: stop.signal,
      onProgress: (progress) => post({ type: 'progress', progress }),
    });
    post({ type: 'done', id });
  } catch (error) {
    post({ type: 'failed', failure: toFailure(error) });
  }
}
