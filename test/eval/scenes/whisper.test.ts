import { expect, test } from 'vitest';
import { whispered } from '../../../src/eval/scenes/whisper.ts';
import { SeededRandom } from '../../../src/eval/seeded-random.ts';
import { rms } from './measures.ts';
import { standInSpeech } from './stand-in-speech.ts';

const speech = Float64Array.from(standInSpeech(3));
const breath = whispered(speech, new SeededRandom('whisper'));

/** How alike the sound is to itself one pitch period (4.5–11 ms) later, at best. */
function voicing(samples: Float64Array): number {
  let best = 0;
  for (let lag = 72; lag <= 178; lag++) {
    let [same, a, b] = [0, 0, 0];
    for (let i = lag; i < samples.length; i++) {
      same += samples[i]! * samples[i - lag]!;
      a += samples[i]! ** 2;
      b += samples[i - lag]! ** 2;
    }
    best = Math.max(best, same / Math.sqrt(a * b));
  }
  return best;
}

test('the pitch is gone', () => {
  const syllable = (x: Float64Array): Float64Array => x.slice(800, 3200);
  expect(voicing(syllable(speech))).toBeGreaterThan(0.8);
  expect(voicing(syllable(breath))).toBeLessThan(0.4);
});

test('syllables and pauses stay where they were', () => {
  expect(breath).toHaveLength(speech.length);
  const levels = (x: Float64Array): number[] =>
    Array.from({ length: 28 }, (_, i) => Math.log(1e-4 + rms(x.slice(i * 1600, (i + 1) * 1600))));
  const [a, b] = [levels(speech), levels(breath)];
  const mean = (x: number[]): number => x.reduce((sum, value) => sum + value, 0) / x.length;
  const covariance = (x: number[], y: number[]): number =>
    mean(x.map((value, i) => (value - mean(x)) * (y[i]! - mean(y))));
  expect(covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b))).toBeGreaterThan(0.8);
});

test('silence stays silence', () => {
  expect(rms(whispered(new Float64Array(8000), new SeededRandom('nothing')))).toBe(0);
});
