// What the engine adds to the bare graphs, per token: everything outside of the sessions' runs. On the sample
// model, whose own work is small, so nothing hides behind it.
//
//   npx tsx test/bench/engine-overhead.ts [model folder]

import { join, resolve } from 'node:path';
import { createEngine } from '../../src/engine/create-engine.ts';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import { loadModel } from '../../src/model/load.ts';
import { openAudioFile } from '../../src/platform/node/decode-file.ts';
import { openModelDir } from '../../src/platform/node/model-dir.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import type { Runtime } from '../../src/ports.ts';
import { readdirSync } from 'node:fs';

const ROOT = resolve(import.meta.dirname, '../..');
const CLIPS = join(ROOT, 'public/clips');
const ROUNDS = 5;

/** The runtime, with a clock on every run of every session. */
function clocked(runtime: Runtime): { runtime: Runtime; runs: { ms: number; count: number } } {
  const runs = { ms: 0, count: 0 };
  const createSession: Runtime['createSession'] = async (source) => {
    const session = await runtime.createSession(source);
    return {
      release: () => session.release(),
      run: async (...args) => {
        const startMs = performance.now();
        try {
          return await session.run(...args);
        } finally {
          runs.ms += performance.now() - startMs;
          runs.count++;
        }
      },
    };
  };
  return { runtime: { ...runtime, createSession }, runs };
}

const { runtime, runs } = clocked(createNodeRuntime({ provider: 'cpu' }));
const model = await loadModel(
  await openModelDir(process.argv[2] ?? join(ROOT, 'public/models/sample')),
  runtime,
);
const engine = createEngine(model);
const signal = new AbortController().signal;
const files = readdirSync(CLIPS).filter((name) => name.endsWith('.wav'));

async function readAll(): Promise<{ wallMs: number; featuresMs: number; tokens: number; seconds: number }> {
  const total = { wallMs: 0, featuresMs: 0, tokens: 0, seconds: 0 };
  for (const file of files) {
    const audio = await openAudioFile(join(CLIPS, file));
    for await (const event of engine.transcribe(audio.blocks(signal), DEFAULT_OPTIONS, signal)) {
      if (event.type !== 'end') continue;
      total.wallMs += event.timings.totalMs;
      total.featuresMs += event.timings.featuresMs;
      total.tokens += event.timings.tokens;
      total.seconds += event.durationSeconds;
    }
  }
  return total;
}

await readAll(); // warm
const rounds = [];
for (let round = 0; round < ROUNDS; round++) {
  Object.assign(runs, { ms: 0, count: 0 });
  const read = await readAll();
  const outsideMs = read.wallMs - runs.ms;
  rounds.push({
    'sound s': Number(read.seconds.toFixed(1)),
    tokens: read.tokens,
    'wall ms': Math.round(read.wallMs),
    'in session.run ms': Math.round(runs.ms),
    'features ms': Math.round(read.featuresMs),
    'outside per token ms': Number(((outsideMs - read.featuresMs) / read.tokens).toFixed(3)),
    'outside %': Number(((100 * outsideMs) / read.wallMs).toFixed(1)),
  });
}
console.table(rounds);
await engine.release();
