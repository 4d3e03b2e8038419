// A pull in a worker, seen from the page.

import type { Profile } from '../../model/manifest.ts';
import { fromFailure } from '../thread/failure.ts';
import type { Failure } from '../../wire/worker-messages.ts';
import type { PullProgress } from '../pull/progress.ts';
import type { PullOrigin } from './pull-origin.ts';

export interface PullRequest {
  readonly origin: PullOrigin;
  readonly profile: Profile;
}

export type ToConvertWorker =
  { readonly type: 'pull'; readonly request: PullRequest } | { readonly type: 'stop' };

export type FromConvertWorker =
  | { readonly type: 'progress'; readonly progress: PullProgress }
  | { readonly type: 'done'; readonly id: string }
  | { readonly type: 'failed'; readonly failure: Failure };

/**
 * Pulls in `worker` (workers/convert.worker.ts, which the door starts) and ends it. Aborting pauses: what came is
 * kept, and asking again goes on from there. Fails as `pullInTab`.
 */
export async function pullInWorker(
  worker: Worker,
  request: PullRequest,
  {
    signal,
    onProgress,
  }: { readonly signal: AbortSignal; readonly onProgress: (progress: PullProgress) => void },
): Promise<{ readonly id: string }> {
  const post = (message: ToConvertWorker): void => worker.postMessage(message);
  const stop = (): void => post({ type: 'stop' });
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      worker.onerror = (event) =>
        reject(new Error(`The worker stopped: ${event.message || 'it could not be started'}`));
      worker.onmessage = ({ data }: MessageEvent<FromConvertWorker>) => {
        if (data.type === 'progress') onProgress(data.progress);
        else if (data.type === 'done') resolve({ id: data.id });
        else reject(fromFailure(data.failure));
      };
      post({ type: 'pull', request });
      if (signal.aborted) stop();
    });
  } finally {
    signal.removeEventListener('abort', stop);
    worker.terminate();
  }
}
