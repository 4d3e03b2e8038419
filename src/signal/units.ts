// The clockwork of the signal path. Constants derive from each other, so the arithmetic is the
// documentation. Source of the values: the checkpoint's processor_config.json (see MODEL.md).

export const SAMPLE_RATE = 16_000; //                                    samples per second
export const HOP_SAMPLES = 160; //                                       10 ms between frames
export const FRAME_SAMPLES = 400; //                                     25 ms under one frame
export const FRAMES_PER_SECOND = SAMPLE_RATE / HOP_SAMPLES; //           100
export const WINDOW_SECONDS = 30; //                                     what the encoder is shown at most
export const WINDOW_FRAMES = WINDOW_SECONDS * FRAMES_PER_SECOND; //      3000
export const WINDOW_SAMPLES = WINDOW_SECONDS * SAMPLE_RATE; //           480,000

/** Samples as they arrive: 16 kHz, mono, in [−1, 1]. */
export interface AudioBlock {
  /** Position of the first sample in the recording. */
  readonly startSample: number;
  readonly samples: Float32Array;
}
