// What crosses between the thread that reads and the thread that only tells voices from other sounds.

/** What is remembered of the sound so far (`VoiceMemory` of ports.ts). */
interface Memory {
  readonly context: Float32Array;
  readonly state: Float32Array;
}

export type ToVoiceThread =
  /** First: which of onnxruntime-web's builds to compute with. */
  | { readonly type: 'open'; readonly build: string }
  | {
      readonly type: 'hear';
      readonly id: number;
      readonly samples: Float32Array<ArrayBuffer>; // moved
      readonly memory: Memory | undefined;
    };

export type FromVoiceThread =
  | {
      readonly type: 'heard';
      readonly id: number;
      readonly likelihoods: Float32Array;
      readonly memory: Memory;
    }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
