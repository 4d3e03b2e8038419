// How many rows of audio embeddings a stretch of sound fills. One row is 80 ms.
//
//   samples ─÷160, up─► mel frames ─÷2, up─► after the strided convolution ─÷4, down─► rows

import { FRAMES_PER_AUDIO_ROW } from './config.ts';

const SAMPLES_PER_FRAME = 160;

/** Samples under one row of audio embeddings: 80 ms. */
export const SAMPLES_PER_AUDIO_ROW = SAMPLES_PER_FRAME * FRAMES_PER_AUDIO_ROW;

/** Rows that the reference counts for `samples` samples: ⌊⌈⌈n/160⌉/2⌉/4⌋. Zero below 0.07 s. */
export function audioRowsFor(samples: number): number {
  const frames = Math.ceil(samples / SAMPLES_PER_FRAME);
  return Math.floor(Math.ceil(frames / 2) / 4);
}
