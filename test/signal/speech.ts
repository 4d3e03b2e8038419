// Synthetic utterances (the goldens') in rooms of our choice.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSound } from './recordings.ts';
import { atLevel, concat, mix, whiteNoise } from './signals.ts';

export const UTTERANCES = ['english', 'whisper', 'mandarin', 'cantonese'] as const;

export function utterance(name: (typeof UTTERANCES)[number]): Float32Array {
  const path = join(import.meta.dirname, `../fixtures/goldens/log-mel-${name}.wav`);
  return readSound(readFileSync(path)).channels[0]!;
}

/** White noise at a level; uniform noise of amplitude a has an RMS of a/√3. */
export function noiseAt(db: number, samples: number, seed = 7): Float32Array {
  return whiteNoise(samples, Math.sqrt(3) * 10 ** (db / 20), seed);
}

export interface Scene {
  readonly samples: Float32Array;
  /** Where the speech lies, [start, end). */
  readonly startSample: number;
  readonly endSample: number;
}

/** A second of room, the utterance at `speechDb`, a second of room; noise at `noiseDb` throughout. */
export function scene(name: (typeof UTTERANCES)[number], speechDb: number, noiseDb: number): Scene {
  const speech = atLevel(utterance(name), speechDb);
  const pause = new Float32Array(16_000);
  const clean = concat(pause, speech, pause);
  const samples = mix(clean, noiseAt(noiseDb, clean.length)).map((x) => Math.round(x * 32_768) / 32_768);
  return { samples, startSample: pause.length, endSample: pause.length + speech.length };
}
