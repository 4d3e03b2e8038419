import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openNodeVoice } from '../../src/platform/node/voice-model.ts';
import { VOICE_FRAME_SAMPLES, type VoiceMemory, type VoiceModel } from '../../src/ports.ts';
import { readSamples } from '../../src/eval/read-audio.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const golden = JSON.parse(readFileSync(join(ROOT, 'test/fixtures/goldens/silero.json'), 'utf8')) as {
  readonly likelihoods: Readonly<Record<string, readonly number[]>>;
};

let voice: VoiceModel;
beforeAll(async () => {
  voice = await openNodeVoice();
});
afterAll(() => voice.release());

async function wholeFrames(clip: string): Promise<Float32Array> {
  const samples = await readSamples(join(ROOT, 'public/clips', `${clip}.wav`));
  return samples.subarray(0, samples.length - (samples.length % VOICE_FRAME_SAMPLES));
}

test.each(Object.keys(golden.likelihoods))('hears %s as the official package does', async (clip) => {
  const { likelihoods } = await voice.hear(await wholeFrames(clip));
  const expected = golden.likelihoods[clip] ?? [];
  expect(likelihoods.length).toBe(expected.length);
  const worst = expected.reduce((most, p, i) => Math.max(most, Math.abs(p - (likelihoods[i] ?? NaN))), 0);
  expect(worst).toBeLessThan(1e-4);
});

test('hears the same however the sound is cut', async () => {
  const samples = await wholeFrames('en_i-whisper');
  const whole = await voice.hear(samples);
  const heard: number[] = [];
  let memory: VoiceMemory | undefined;
  for (let at = 0, frames = 1; at < samples.length; frames = (frames % 5) + 1) {
    const piece = samples.subarray(at, at + frames * VOICE_FRAME_SAMPLES);
    const step = await voice.hear(piece, memory);
    heard.push(...step.likelihoods);
    memory = step.memory;
    at += piece.length;
  }
  expect(Float32Array.from(heard)).toEqual(whole.likelihoods);
  expect(memory).toEqual(whole.memory);
});

test('two sounds heard in turns do not mix', async () => {
  const [one, other] = [await wholeFrames('en_i-whisper'), await wholeFrames('zh_speak-softly')];
  const alone = await voice.hear(one);
  const half = VOICE_FRAME_SAMPLES * 20;
  const first = await voice.hear(one.subarray(0, half));
  await voice.hear(other);
  const second = await voice.hear(one.subarray(half), first.memory);
  expect([...first.likelihoods, ...second.likelihoods]).toEqual([...alone.likelihoods]);
});
