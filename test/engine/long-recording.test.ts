import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createEngine } from '../../src/engine/create-engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import { readSamples } from '../../src/eval/read-audio.ts';
import { loadModel } from '../../src/model/load.ts';
import { openModelDir } from '../../src/platform/node/model-dir.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import { openNodeVoice } from '../../src/platform/node/voice-model.ts';
import type { AudioBlock } from '../../src/signal/units.ts';
import { type ConditionedBlock, conditioned } from '../../src/signal/front-end.ts';
import { LIVE_LOOK_AHEAD_HOPS } from '../../src/signal/gain.ts';
import { liveBytes } from '../signal/allocation.ts';
import { noiseAt } from '../signal/speech.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SECOND = 16_000;
const MINUTE = 60;

const MINUTES = 16;
/** Fifteen minutes of sound take 58 MB, their frames 46 MB; two readings of one minute may differ by a window. */
const GROWTH_BYTES = 2_000_000;

async function openSample(): Promise<Engine> {
  const model = await loadModel(
    await openModelDir(join(ROOT, 'public/models/sample')),
    createNodeRuntime({ provider: 'cpu', threads: 1 }),
  );
  return createEngine(model, { voice: await openNodeVoice() });
}

test('a quarter of an hour in front of the microphone leaves nothing behind but its text', async () => {
  const engine = await openSample();
  const clip = await readSamples(join(ROOT, 'public/clips/en_thank-you.wav'));
  const said = (await readFile(join(ROOT, 'public/clips/en_thank-you.txt'), 'utf8')).trim();
  const room = noiseAt(-70, SECOND, 1);
  const taken: number[] = [];
  let texts = 0;

  /** A quiet room, in which somebody says a sentence every minute. */
  const recording = async function* (): AsyncGenerator<AudioBlock> {
    for (let second = 0; second < MINUTES * MINUTE; second++) {
      if (second % MINUTE === MINUTE - 1) taken.push(liveBytes());
      const from = ((second % MINUTE) - 20) * SECOND;
      const samples = room.map((x, i) => x + (clip[from + i] ?? 0));
      yield { startSample: second * SECOND, samples };
      // Whoever speaks is not ahead of whoever reads.
      if (from >= 0 && from < 4 * SECOND) await new Promise((done) => setTimeout(done, 15));
      while (second % MINUTE === 40 && texts <= Math.floor(second / MINUTE))
        await new Promise((done) => setTimeout(done, 5));
    }
  };
  for await (const event of engine.transcribe(
    recording(),
    { ...DEFAULT_OPTIONS, live: true },
    new AbortController().signal,
  )) {
    if (event.type !== 'final') continue;
    expect(event.segment.text).toBe(said);
    texts++;
  }
  await engine.release();
  expect(texts).toBe(MINUTES);
  const [early, late] = [taken.slice(0, 5), taken.slice(-5)];
  expect(Math.min(...late) - Math.min(...early)).toBeLessThan(GROWTH_BYTES);
}, 120_000);

const HOURS = 3;
const LOOP_MINUTES = 10;
const LOOPS = (HOURS * 60) / LOOP_MINUTES;
/** From the first hour to the last, one number per hop would be 5.8 MB, sound 460 MB; a window under way is 2.8 or 5. */
const HOURS_GROWTH_BYTES = 4_000_000;

test('the third hour in front of the microphone holds what the first does, with frames from the audio thread', async () => {
  const engine = await openSample();
  const clip = await readSamples(join(ROOT, 'public/clips/en_thank-you.wav'));
  const said = (await readFile(join(ROOT, 'public/clips/en_thank-you.txt'), 'utf8')).trim();
  const minutes = noiseAt(-70, LOOP_MINUTES * MINUTE * SECOND, 1);
  clip.forEach((x, i) => (minutes[20 * SECOND + i]! += x));
  // Ten minutes of a quiet room with one sentence in them, through the chain once, come again and again.
  const options = { sampleRate: SECOND, melBins: 128, gain: { lookAheadHops: LIVE_LOOK_AHEAD_HOPS } };
  const pieces = Array.from({ length: 2 * LOOP_MINUTES * MINUTE }, (_, i) =>
    minutes.subarray(i * 8_000, (i + 1) * 8_000),
  );
  const blocks: ConditionedBlock[] = [];
  for await (const block of conditioned(pieces, options)) blocks.push(block);
  const samplesOnce = blocks.reduce((sum, { samples }) => sum + samples.length, 0);
  const held: number[] = [];
  let texts = 0;

  const recording = async function* (): AsyncGenerator<ConditionedBlock> {
    for (let time = 0; time < LOOPS; time++) {
      for (const block of blocks)
        yield {
          ...block,
          startSample: block.startSample + time * samplesOnce,
          firstFrame: block.firstFrame + (time * samplesOnce) / 160,
        };
      // Whoever speaks is not ahead of whoever reads.
      while (texts <= time) await new Promise((done) => setTimeout(done, 5));
      held.push(liveBytes());
    }
  };
  const { signal } = new AbortController();
  for await (const event of engine.transcribe(recording(), { ...DEFAULT_OPTIONS, live: true }, signal)) {
    if (event.type !== 'final') continue;
    expect(event.segment.text).toBe(said);
    texts++;
  }
  await engine.release();
  expect(texts).toBe(LOOPS);
  const perHour = held.length / HOURS;
  const [first, last] = [held.slice(0, perHour), held.slice(-perHour)];
  expect(Math.min(...last) - Math.min(...first)).toBeLessThan(HOURS_GROWTH_BYTES);
}, 120_000);
