// The one interface that doors hold, in place or across a worker.

import type { AudioBlock } from '../signal/units.ts';
import type { TranscribeOptions, TranscriptEvent } from './events.ts';

/** What happens while an engine is made ready. */
export type LoadEvent =
  | { readonly type: 'stage'; readonly stage: LoadStage }
  /** A way of computing did not work, or computed wrong text; the next one is tried. */
  | {
      readonly type: 'stepped-down';
      readonly from: string;
      readonly reason: StepDownReason;
      readonly detail: string;
    };

export type LoadStage = 'files' | 'tokenizer' | 'encoder' | 'decoder' | 'check';

/** `missing`: there is no such device. `failed`: it could not load or run. `wrong`: it ran, the text was wrong. */
export type StepDownReason = 'missing' | 'failed' | 'wrong';

export interface EngineInfo {
  readonly modelName: string;
  readonly profile: string;
  readonly provider: string;
  readonly activation: string;
  /** Adapter, thread count and the like, for people to read. */
  readonly device: string;
}

export interface Engine {
  readonly info: EngineInfo;
  /**
   * Reads a recording. Pull-based: nothing is computed faster than events are taken, and no more audio
   * is held than a window. One job at a time; a second call waits for the first to end.
   *
   * Aborting ends the generator with the signal's reason within one decoder run.
   */
  transcribe(
    audio: AsyncIterable<AudioBlock>,
    options: TranscribeOptions,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptEvent, void>;
  /** Ends sessions, threads and what else it holds. */
  release(): Promise<void>;
}
