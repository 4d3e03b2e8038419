// The thread that turns a checkpoint into a model in the browser's storage.

import { toFailure } from '../src/platform/thread/failure.ts';
import type { FromConvertWorker, PullRequest, ToConvertWorker } from '../src/platform/web/pull-client.ts';
import { pullInTab } from '../src/platform/web/pull-in-tab.ts';
import { browserLibrary } from '../src/platform/web/shard-store.ts';

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
      signal: stop.signal,
      onProgress: (progress) => post({ type: 'progress', progress }),
    });
    post({ type: 'done', id });
  } catch (error) {
    post({ type: 'failed', failure: toFailure(error) });
  }
}
