import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../src/engine/create-engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { DEFAULT_OPTIONS, type TranscribeOptions, type TranscriptEvent } from '../../src/engine/events.ts';
import { SecondLook } from '../../src/engine/second-look.ts';
import type { AudioWindow } from '../../src/engine/segmenter.ts';
import { windowsOf } from '../../src/engine/windows.ts';
import { readSamples } from '../../src/eval/read-audio.ts';
import { makeMusic } from '../../src/eval/scenes/music.ts';
import { SeededRandom } from '../../src/eval/seeded-random.ts';
import { loadModel } from '../../src/model/load.ts';
import { openModelDir } from '../../src/platform/node/model-dir.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import { openNodeVoice } from '../../src/platform/node/voice-model.ts';
import type { VoiceModel } from '../../src/ports.ts';
import type { AudioBlock } from '../../src/signal/units.ts';
import { joinText } from '../../src/text/join.ts';
import { concat } from '../signal/signals.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const LIVE = { ...DEFAULT_OPTIONS, live: true };
const NEVER = new AbortController().signal;

let voice: VoiceModel;
let engine: Engine;
let withoutLook: Engine;
beforeAll(async () => {
  const load = async () =>
    loadModel(
      await openModelDir(join(ROOT, 'public/models/sample')),
      createNodeRuntime({ provider: 'cpu', threads: 1 }),
    );
  voice = await openNodeVoice();
  engine = createEngine(await load(), { voice: await openNodeVoice() });
  withoutLook = createEngine(await load());
});
afterAll(async () => {
  await voice.release();
  await engine.release();
  await withoutLook.release();
});

async function* blocksOf(samples: Float32Array, blockSamples = 4_000): AsyncGenerator<AudioBlock> {
  for (let at = 0; at < samples.length; at += blockSamples) {
    yield { startSample: at, samples: samples.slice(at, at + blockSamples) };
  }
}

async function eventsOf(
  samples: Float32Array,
  options: TranscribeOptions,
  by = engine,
): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  for await (const event of by.transcribe(blocksOf(samples), options, NEVER)) events.push(event);
  return events;
}

async function textOf(samples: Float32Array, options: TranscribeOptions, by = engine): Promise<string> {
  const events = await eventsOf(samples, options, by);
  return joinText(events.flatMap((event) => (event.type === 'final' ? [event.segment.text] : [])));
}

function music(seed: string, seconds: number, levelDb: number): Float32Array {
  const made = makeMusic(seconds * 16_000, 16_000, new SeededRandom(seed));
  return Float32Array.from(made, (x) => x * 10 ** (levelDb / 20));
}

function at(samples: Float32Array, levelDb: number): Float32Array {
  const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
  const gain = 10 ** (levelDb / 20) / Math.sqrt(power);
  return samples.map((x) => Math.round(x * gain * 32_768) / 32_768);
}

const clip = (name: string): Promise<Float32Array> => readSamples(join(ROOT, 'public/clips', `${name}.wav`));
const saidIn = (name: string): string =>
  readFileSync(join(ROOT, 'public/clips', `${name}.txt`), 'utf8').trim();

async function windowsIn(samples: Float32Array, options: TranscribeOptions): Promise<AudioWindow[]> {
  const windows: AudioWindow[] = [];
  for await (const window of windowsOf(blocksOf(samples), options)) windows.push(window);
  return windows;
}

test.each([
  ['en_i-whisper', -45],
  ['en_i-whisper', -60],
  ['zh_speak-softly', -60],
  ['yue_a-bit-quieter', -60],
] as const)('%s at %i dBFS is read, from a file and live', async (name, levelDb) => {
  const samples = at(await clip(name), levelDb);
  expect(await textOf(samples, DEFAULT_OPTIONS)).toBe(saidIn(name));
  expect(await textOf(samples, LIVE)).toBe(saidIn(name));
});

describe('music that the first look takes for speech', () => {
  test('gives nothing to read', async () => {
    let taken = 0;
    for (const seed of ['one', 'two', 'three', 'four']) {
      const samples = music(seed, 12, -35);
      const windows = await windowsIn(samples, DEFAULT_OPTIONS);
      taken += windows.length;
      const look = new SecondLook(voice);
      for (const window of windows) expect(await look.judge(window)).toBeUndefined();
    }
    expect(taken).toBeGreaterThan(0);
  });

  test('gives no text, and the recording is counted as done', async () => {
    const samples = music('one', 12, -35);
    for (const options of [DEFAULT_OPTIONS, LIVE]) {
      const events = await eventsOf(samples, options);
      expect(events.filter(({ type }) => type === 'final')).toEqual([]);
      expect(events.some(({ type }) => type === 'progress')).toBe(true);
    }
  });

  test('does not take the sentence before it along', async () => {
    const sentence = await clip('en_meeting-on-thursday');
    const samples = new Float32Array(16_000 * 14);
    samples.set(sentence);
    samples.set(music('two', 8, -35), 16_000 * 5);
    expect(await textOf(samples, DEFAULT_OPTIONS)).toBe(saidIn('en_meeting-on-thursday'));
    expect(await textOf(samples, LIVE)).toBe(saidIn('en_meeting-on-thursday'));
  });
});

test('without voice detection, and read exactly, everything is read as before', async () => {
  const samples = music('one', 6, -35);
  for (const options of [
    { ...DEFAULT_OPTIONS, voiceDetection: false },
    { ...DEFAULT_OPTIONS, exact: true, gain: false, voiceDetection: false },
  ]) {
    expect(await textOf(samples, options)).toBe(await textOf(samples, options, withoutLook));
  }
});

test('a voice model that fails leaves the first look alone', async () => {
  const broken: VoiceModel = {
    hear: () => Promise.reject(new Error('no memory')),
    release: () => Promise.resolve(),
  };
  const windows = await windowsIn(music('one', 12, -35), DEFAULT_OPTIONS);
  const look = new SecondLook(broken);
  for (const window of windows) expect(await look.judge(window)).toBe(window);
});

test.for([
  ['from the start', 0],
  ['after a while', 1],
] as const)(
  'a voice model that fails %s is told of once, before what it did not judge; the text comes all the same',
  async ([, good], { expect }) => {
    let left: number = good;
    const failing: VoiceModel = {
      hear: (samples, memory) =>
        left-- > 0 ? voice.hear(samples, memory) : Promise.reject(new Error('no memory')),
      release: () => Promise.resolve(),
    };
    const files = await openModelDir(join(ROOT, 'public/models/sample'));
    const model = await loadModel(files, createNodeRuntime({ provider: 'cpu', threads: 1 }));
    const hobbled = createEngine(model, { voice: failing });
    const pause = new Float32Array(480_000); // two windows
    const samples = concat(await clip('en_thank-you'), pause, await clip('en_call-me-back'), pause);
    const events = await eventsOf(samples, DEFAULT_OPTIONS, hobbled);
    await hobbled.release();
    const told = events.flatMap((event, i) => (event.type === 'warning' ? [{ event, i }] : []));
    expect(told.map(({ event }) => event)).toEqual([
      { type: 'warning', code: 'voice-model-failed', message: 'the voice model failed: no memory' },
    ]);
    const before = events.slice(0, told[0]?.i).filter(({ type }) => type === 'final');
    expect(before).toHaveLength(good);
    expect(joinText(events.flatMap((event) => (event.type === 'final' ? [event.segment.text] : [])))).toBe(
      joinText([saidIn('en_thank-you'), saidIn('en_call-me-back')]),
    );
  },
);

test('a window that grows is judged as if it had come whole, and heard only once', async () => {
  let frames = 0;
  const counting: VoiceModel = {
    hear: async (samples, memory) => {
      frames += samples.length / 512;
      return voice.hear(samples, memory);
    },
    release: () => Promise.resolve(),
  };
  const [window] = await windowsIn(at(await clip('en_i-whisper'), -50), DEFAULT_OPTIONS);
  if (window === undefined) throw new Error('the whisper is heard');
  const look = new SecondLook(counting);
  for (let end = 8_000; end < window.samples.length; end += 4_000) {
    const samples = window.samples.slice(0, end);
    await look.judge({
      ...window,
      open: true,
      samples,
      utterances: [{ startSample: window.startSample, endSample: window.startSample + end }],
    });
  }
  expect(await look.judge(window)).toEqual(await new SecondLook(voice).judge(window));
  expect(frames).toBe(Math.floor(window.samples.length / 512));
});
