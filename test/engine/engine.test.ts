import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { EXACT_OPTIONS, type TranscriptEvent } from '../../src/engine/events.ts';
import { createEngine } from '../../src/engine/create-engine.ts';
import { MANIFEST_PATH, filesOf, parseManifest } from '../../src/model/manifest.ts';
import { startEngine } from '../../src/platform/node/engine-client.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import type { ModelFiles } from '../../src/ports.ts';
import { describeEngine, tone } from '../contract/engine.ts';
import { convertInMemory, loadInMemory } from '../fixtures/memory-model.ts';
import { seededCheckpoint } from '../fixtures/seeded-model.ts';

let modelDir: string;
let expected: TranscriptEvent[];

async function inPlace(): Promise<Engine> {
  const runtime = createNodeRuntime({ provider: 'cpu', threads: 1 });
  return createEngine(await loadInMemory(seededCheckpoint(), 'fp32', runtime));
}

async function writeModel(dir: string, files: ModelFiles): Promise<void> {
  const manifest = await files.manifest();
  await writeFile(join(dir, MANIFEST_PATH), JSON.stringify(manifest));
  for (const { path, bytes } of filesOf(parseManifest(manifest))) {
    await writeFile(join(dir, path), await files.file(path, bytes).read());
  }
}

beforeAll(async () => {
  modelDir = await mkdtemp(join(tmpdir(), 'sotto-engine-'));
  await writeModel(modelDir, await convertInMemory(seededCheckpoint(), 'fp32'));
  const engine = await inPlace();
  const audio = (async function* () {
    yield { startSample: 0, samples: tone() };
  })();
  expected = [];
  for await (const event of engine.transcribe(
    audio,
    { ...EXACT_OPTIONS, maxNewTokens: 12 },
    new AbortController().signal,
  )) {
    expected.push(event.type === 'end' ? { ...event, timings: {} as never } : event);
  }
  await engine.release();
});
afterAll(() => rm(modelDir, { recursive: true }));

describeEngine('in place', inPlace, async () => expected);
describeEngine(
  'in a process of its own',
  async () => (await startEngine({ modelDir, provider: 'cpu', threads: 1 })).engine,
  async () => expected,
);
