// What crosses between a door and the thread that holds the engine: a browser worker or a Node worker
// thread. `id` ties an answer to its question; each buffer says whether it moves.

import type { AsrErrorCode } from '../errors.ts';
import type { EngineInfo, LoadEvent } from '../engine/engine.ts';
import type { TranscribeOptions, TranscriptEvent } from '../engine/events.ts';
import type { SoundPort } from './capture-messages.ts';

/** `Load` says which model on which device, in the platform's own terms. */
export type ToWorker<Load> =
  | { type: 'load'; id: number; request: Load }
  /** With `port` (moved), sound comes through that; without, in blocks. */
  | { type: 'transcribe'; id: number; options: TranscribeOptions; port?: SoundPort }
  | { type: 'block'; id: number; startSample: number; samples: Float32Array<ArrayBuffer> } // moved
  | { type: 'finish'; id: number }
  /** The audio itself failed; the job ends with this error. */
  | { type: 'audio-failed'; id: number; failure: Failure }
  | { type: 'abort'; id: number }
  | { type: 'release'; id: number };

export type FromWorker =
  | { type: 'loading'; id: number; event: LoadEvent }
  | { type: 'loaded'; id: number; info: EngineInfo }
  /** How many more blocks may be sent. */
  | { type: 'credit'; id: number; blocks: number }
  | { type: 'event'; id: number; event: TranscriptEvent }
  | { type: 'done'; id: number }
  | { type: 'failed'; id: number; failure: Failure };

/** An error in transit. `aborted` is the user's own doing, `bug` anything without a code. */
export interface Failure {
  readonly code: AsrErrorCode | 'aborted' | 'bug';
  readonly message: string;
}
