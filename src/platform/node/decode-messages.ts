// What crosses between a server's thread and those that decode its recordings.

import type { Failure } from '../../wire/worker-messages.ts';

export type ToDecoder =
  /** The next block of recording `id`; the first time, it is opened. */
  | { readonly type: 'next'; readonly id: number; readonly path: string }
  | { readonly type: 'close'; readonly id: number };

export type FromDecoder =
  | {
      readonly type: 'block';
      readonly id: number;
      readonly startSample: number;
      readonly samples: Float32Array<ArrayBuffer>; // moved
    }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure };

/** Shared with the thread: which recording it is at work on; 0: none. */
export function workNote(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4));
}
