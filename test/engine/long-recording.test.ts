import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createEngine } from '../../src/engine/create-engine.ts';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import { readSamples } from '../../src/eval/read-audio.ts';
import { loadModel } from '../../src/model/load.ts';
import { openModelDir } from '../../src/platform/node/model-dir.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import { openNodeVoice } from '../../src/platform/node/voice-model.ts';
import type { AudioBlock } from '../../src/signal/units.ts';
import { liveBytes } from '../signal/allocation.ts';
import { noiseAt } from '../signal/speech.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SECOND = 16_000;
const MINUTE = 60;

const MINUTES = 16;
/** Fifteen minutes of sound take 58 MB, their frames 46 MB; two readings of one minute may differ by a window. */
const GROWTH_BYTES = 2_000_000;

test('a quarter of an hour in front of the microphone leaves nothing behind but its text', async () => {
  const model = await loadModel(
    await openModelDir(join(ROOT, 'public/models/sample')),
    createNodeRuntime({ provider: 'cpu', threads: 1 }),
  );
  const engine = createEngine(model, { voice: await openNodeVoice() });
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
  const [early, late] = [taken.slice(0, 4), taken.slice(-4)];
  expect(Math.min(...late) - Math.min(...early)).toBeLessThan(GROWTH_BYTES);
}, 120_000);
