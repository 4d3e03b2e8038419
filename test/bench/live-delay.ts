// How far words run behind speech: the shipped clips spoken one after the other at the pace of life, read
// live, in a thread as the terminal does. Prints a table of SPEED.md; on a busy machine it measures the others.
//
//   npm run bench -- live-delay

import { loadavg } from 'node:os';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import { startEngine } from '../../src/platform/node/engine-client.ts';
import type { AudioBlock } from '../../src/signal/units.ts';
import { clipSamples } from '../engine/growing-windows.ts';

const PUBLIC = resolve(import.meta.dirname, '../../public');
const CLIPS = readdirSync(join(PUBLIC, 'clips'))
  .filter((name) => name.endsWith('.wav'))
  .map((name) => name.slice(0, -4));
const BLOCK_SAMPLES = 1600;
const PAUSE_SAMPLES = 24_000;

const sounds = await Promise.all(CLIPS.map(clipSamples));
const spoken = new Float32Array(sounds.reduce((sum, { length }) => sum + length + PAUSE_SAMPLES, 0));
let at = 0;
for (const samples of sounds) {
  spoken.set(samples, at);
  at += samples.length + PAUSE_SAMPLES;
}

let startMs = 0;
const nowSeconds = (): number => (performance.now() - startMs) / 1000;

async function* atThePaceOfLife(): AsyncGenerator<AudioBlock> {
  startMs = performance.now();
  for (let start = 0; start < spoken.length; start += BLOCK_SAMPLES) {
    const dueSeconds = (start + BLOCK_SAMPLES) / 16_000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1000 * (dueSeconds - nowSeconds()))));
    yield { startSample: start, samples: spoken.slice(start, start + BLOCK_SAMPLES) };
  }
}

const { engine } = await startEngine({ modelDir: join(PUBLIC, 'models/sample'), provider: 'cpu' });
const shown: number[] = [];
const settled: number[] = [];
const signal = new AbortController().signal;
for await (const event of engine.transcribe(atThePaceOfLife(), { ...DEFAULT_OPTIONS, live: true }, signal)) {
  const text = event.type === 'partial' ? event.committed + event.tentative : '';
  if (event.type === 'partial' && text !== '') shown.push(nowSeconds() - event.endSeconds);
  if (event.type === 'final') settled.push(nowSeconds() - event.segment.endSeconds);
}
await engine.release();

const quantile = (values: number[], q: number): string =>
  (values.sort((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? NaN).toFixed(2);
console.log(`load ${loadavg()[0]?.toFixed(1)}`);
console.log('| seconds behind the end of what is read | count | median | 95th |');
console.log('| --- | --: | --: | --: |');
console.log(
  `| text of a growing window | ${shown.length} | ${quantile(shown, 0.5)} | ${quantile(shown, 0.95)} |`,
);
console.log(`| settled text | ${settled.length} | ${quantile(settled, 0.5)} | ${quantile(settled, 0.95)} |`);
