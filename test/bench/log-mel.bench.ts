// The signal path against the clock. Ratios hold across machines; SPEED.md keeps the figures.

import { WhisperFeatureExtractor } from '@huggingface/transformers';
import { bench, describe } from 'vitest';
import { FrontEnd, EXACT } from '../../src/signal/front-end.ts';
import { LogMelStream, windowFeatures } from '../../src/signal/log-mel.ts';
import { Resampler } from '../../src/signal/resample.ts';
import { WINDOW_SAMPLES } from '../../src/signal/units.ts';
import { whiteNoise } from '../signal/signals.ts';

const window = whiteNoise(WINDOW_SAMPLES, 0.1);

describe('features of 30 s', () => {
  const reference = new WhisperFeatureExtractor({
    ...{ feature_size: 128, sampling_rate: 16_000, n_fft: 400, hop_length: 160 },
    ...{ chunk_length: 30, n_samples: WINDOW_SAMPLES, nb_max_frames: 3000 },
  });
  const frames = new Float32Array(3000 * 128);

  bench('@huggingface/transformers', async () => void (await reference._call(window)), { iterations: 20 });
  bench('windowFeatures', () => void windowFeatures(window, { melBins: 128 }), { iterations: 60 });
  bench('streamed, then finished', () => {
    const stream = new LogMelStream(128);
    const made = stream.push(window, frames);
    windowFeatures(window, {
      melBins: 128,
      streamed: { logMel: frames.subarray(0, made * 128), firstFrame: 0 },
    });
  });
});

describe('a second resampled to 16 kHz', () => {
  for (const rate of [8000, 22_050, 44_100, 48_000, 96_000]) {
    const resampler = new Resampler(rate);
    const second = whiteNoise(rate, 0.1);
    const out = new Float32Array(resampler.maxOutputs(rate));
    bench(`${rate} Hz`, () => void resampler.push(second, out));
  }
});

describe('a quantum of 128 samples at 48 kHz (budget: 2.667 ms)', () => {
  const quantum = whiteNoise(128, 0.1);
  const chains = {
    'resample, gain, log-mel': new FrontEnd({ sampleRate: 48_000, maxBlockSamples: 128, melBins: 128 }),
    'resample only': new FrontEnd({ sampleRate: 48_000, maxBlockSamples: 128, ...EXACT }),
  };
  for (const [name, chain] of Object.entries(chains)) bench(name, () => void chain.push(quantum));
});
