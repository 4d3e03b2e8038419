// The audio thread's work per render quantum: 128 samples at 48 kHz, which leave 2.667 ms. The thread itself
// has no clock, so its recorder is measured here, packets and slices included.

import { bench, describe } from 'vitest';
import type { SoundPort } from '../../src/wire/capture-messages.ts';
import { Recorder } from '../../workers/audio/recorder.ts';
import { scene } from '../signal/speech.ts';

/** A reader that gives every buffer back at once. */
function port(): SoundPort {
  const self: SoundPort = {
    onmessage: null,
    postMessage: (message) => {
      const { numbers, samples } = message as { numbers?: unknown; samples?: unknown };
      self.onmessage?.({ data: numbers ?? samples });
    },
    close: () => undefined,
  };
  return self;
}

const QUANTUM = 128;

for (const sampleRate of [48_000, 44_100]) {
  describe(`a quantum at ${sampleRate} Hz (${((1000 * QUANTUM) / sampleRate).toFixed(3)} ms)`, () => {
    const { samples } = scene('english', -50, -80);
    const recorder = new Recorder(
      { sound: port(), journal: port(), tell: () => undefined },
      { sampleRate, gain: true, melBins: 128 },
    );
    const channels: Float32Array[] = [new Float32Array(QUANTUM)];
    let at = 0;
    bench('resample, gain, verdicts, log-mel, packets, slices', () => {
      channels[0] = samples.subarray(at, at + QUANTUM);
      at = (at + QUANTUM) % (samples.length - QUANTUM);
      recorder.hear(channels);
    });
  });
}
