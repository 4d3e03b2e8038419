// What tabs and workers of this site tell each other about a model that one of them is writing.

import type { InstallProgress } from '../install/progress.ts';
import { follower } from '../install/waiting.ts';

type ModelMessage =
  | { readonly type: 'progress'; readonly progress: InstallProgress }
  /** Whoever writes the model is asked to stop: it is to be deleted. */
  | { readonly type: 'stop' };

export interface ModelChannel {
  tell(progress: InstallProgress): void;
  /** Asks all others to stop. */
  stopOthers(): void;
  close(): void;
}

export interface ModelListener {
  readonly onProgress?: (progress: InstallProgress) => void;
  readonly onStop?: () => void;
}

/** Hears everyone else, not itself. */
export function openModelChannel(id: string, { onProgress, onStop }: ModelListener = {}): ModelChannel {
  const channel = new BroadcastChannel(`sotto-model:${id}`);
  channel.onmessage = ({ data }: MessageEvent<ModelMessage>): void => {
    if (data.type === 'progress') onProgress?.(data.progress);
    else onStop?.();
  };
  const post = (message: ModelMessage): void => channel.postMessage(message);
  return {
    tell: (progress) => post({ type: 'progress', progress }),
    stopOthers: () => post({ type: 'stop' }),
    close: () => channel.close(),
  };
}

/** What a tab that writes a model is told, and tells. */
export interface Turn<P> {
  /** Aborted by the caller, and by a tab that deletes the model. */
  readonly signal: AbortSignal;
  /** Another writes just now. */
  onWait(): void;
  onProgress(progress: P): void;
}

/**
 * Runs `write`, which writes the model called `id`. The progress goes to the caller and to the other tabs;
 * while another tab writes, the caller hears that one's, as `waiting` makes it.
 */
export async function amongTabs<P extends InstallProgress, T>(
  id: string,
  options: { readonly signal: AbortSignal; readonly onProgress?: (progress: P) => void },
  waiting: (progress: InstallProgress) => P,
  write: (turn: Turn<P>) => Promise<T>,
): Promise<T> {
  const { controller, release } = follower(options.signal);
  let waits = false;
  const channel = openModelChannel(id, {
    onProgress: (progress) => waits && options.onProgress?.(waiting(progress)),
    onStop: () => controller.abort(),
  });
  try {
    return await write({
      signal: controller.signal,
      onWait: () => (waits = true),
      onProgress: (progress) => {
        waits = false;
        channel.tell(progress);
        options.onProgress?.(progress);
      },
    });
  } finally {
    channel.close();
    release();
  }
}
