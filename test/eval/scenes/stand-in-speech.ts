// A stand-in for speech: bursts of a buzzing voice with moving resonances, and pauses between them. What the
// scenes must do to it can be said exactly.

import { SeededRandom } from '../../../src/eval/seeded-random.ts';
import { SAMPLE_RATE } from '../../../src/signal/units.ts';

/** `seconds` of syllables of 0.25 s with gaps, and a pause of a second after every sixth. */
export function standInSpeech(seconds: number, seed = 'speech'): Float32Array {
  const random = new SeededRandom(seed);
  const samples = new Float32Array(Math.round(seconds * SAMPLE_RATE));
  let start = 0;
  for (let syllable = 0; start < samples.length; syllable++) {
    const length = 0.25 * SAMPLE_RATE;
    const pitchHz = random.between(90, 220);
    const peakHz = random.between(400, 2500);
    for (let i = 0; i < length && start + i < samples.length; i++) {
      const t = i / SAMPLE_RATE;
      let wave = 0;
      for (let h = 1; h * pitchHz < 4000; h++) {
        wave += Math.sin(2 * Math.PI * pitchHz * h * t) / (1 + ((pitchHz * h - peakHz) / 300) ** 2);
      }
      samples[start + i] = 0.05 * wave * Math.sin((Math.PI * i) / length);
    }
    start += length + (syllable % 6 === 5 ? SAMPLE_RATE : 0.05 * SAMPLE_RATE);
  }
  return samples;
}
