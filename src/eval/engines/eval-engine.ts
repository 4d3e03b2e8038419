// What the yardstick asks of an engine, ours or another's.

/** A recording as every engine can take it. */
export interface EvalAudio {
  readonly id: string;
  /** 16 kHz, mono. */
  readonly samples: Float32Array;
  /** The same as a WAV file of 16 bits. */
  readonly wav: () => Uint8Array<ArrayBuffer>;
  /** As the clip's list or folder says; engines that can be told are told. `none` where nobody speaks. */
  readonly language: string;
}

export interface EngineReading {
  readonly text: string;
  /** When the first text came, for engines that answer while they work. */
  readonly firstTextMs?: number;
}

export interface EngineFacts {
  /** Model and its storage, as the engine names it. */
  readonly model: string;
  /** Where it computes, for people. */
  readonly device: string;
  /** Whether text comes before the whole answer is there. */
  readonly streams: 'yes' | 'no' | 'unknown';
  /** What this engine could not do here, one sentence each; said in its row of the report. */
  readonly limits: readonly string[];
  /** False when the work is done in another process, whose memory cannot be seen from here. */
  readonly inThisProcess: boolean;
}

export interface EvalEngine {
  readonly facts: EngineFacts;
  /** One clip at a time. Aborting ends the call with the signal's reason. */
  transcribe(audio: EvalAudio, signal: AbortSignal): Promise<EngineReading>;
  close(): Promise<void>;
}
