// The one interface that doors hold, in place or across a worker.

import type { AudioBlock } from '../signal/units.ts';
import type { TranscribeOptions, TranscriptEvent } from './events.ts';

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
