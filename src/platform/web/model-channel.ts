// What tabs and workers of this site tell each other about a model that one of them is writing.

import type { InstallProgress } from '../install/progress.ts';

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
