// The voice model in a thread of the browser, against what the official package says.

import { expect, test } from 'vitest';
import { VOICE_FRAME_SAMPLES } from '../../src/ports.ts';
import { chooseBuild } from '../../src/platform/web/choose-build.ts';
import { openAudioFile } from '../../src/platform/web/decode-file.ts';
import { voiceInThread } from '../../src/platform/web/voice-thread.ts';

const GOLDEN = import.meta.glob<{ likelihoods: Record<string, number[]> }>(
  '../fixtures/goldens/silero.json',
  {
    import: 'default',
    eager: true,
  },
);
function startThread(): Worker {
  return new Worker(new URL('../../workers/voice.worker.ts', import.meta.url), { type: 'module' });
}

async function wholeFrames(name: string): Promise<Float32Array> {
  const response = await fetch(`/clips/${name}.wav`);
  const file = await openAudioFile(await response.blob());
  const held: number[] = [];
  for await (const { samples } of file.blocks()) held.push(...samples);
  return Float32Array.from(held.slice(0, held.length - (held.length % VOICE_FRAME_SAMPLES)));
}

test('hears the clips as the official package does, in pieces', async () => {
  const voice = voiceInThread(startThread(), chooseBuild('wasm'));
  for (const [name, expected] of Object.entries(Object.values(GOLDEN)[0]?.likelihoods ?? {})) {
    const samples = await wholeFrames(name);
    const half = 20 * VOICE_FRAME_SAMPLES;
    const first = await voice.hear(samples.subarray(0, half));
    const second = await voice.hear(samples.subarray(half), first.memory);
    const heard = [...first.likelihoods, ...second.likelihoods];
    expect(heard.length).toBe(expected.length);
    const worst = expected.reduce((most, p, i) => Math.max(most, Math.abs(p - (heard[i] ?? NaN))), 0);
    expect(worst).toBeLessThan(1e-4);
  }
  await voice.release();
  await expect(voice.hear(new Float32Array(VOICE_FRAME_SAMPLES))).rejects.toThrow(/ended/);
});

test('a thread that cannot be started says so to whoever asks', async () => {
  const worker = new Worker(new URL('/there-is-no-such-file.js', import.meta.url), { type: 'module' });
  const voice = voiceInThread(worker, chooseBuild('wasm'));
  await expect(voice.hear(new Float32Array(VOICE_FRAME_SAMPLES))).rejects.toThrow();
});
