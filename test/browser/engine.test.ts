import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXACT_OPTIONS, type TranscriptEvent } from '../../src/engine/events.ts';
import { createEngine } from '../../src/engine/create-engine.ts';
import { MANIFEST_PATH, filesOf, parseManifest } from '../../src/model/manifest.ts';
import { type WebEngineRequest, connectWorker } from '../../src/platform/web/engine-client.ts';
import { createWebRuntime } from '../../src/platform/web/ort.ts';
import { browserLibrary } from '../../src/platform/web/shard-store.ts';
import { describeEngine, tone } from '../contract/engine.ts';
import { convertInMemory, loadInMemory } from '../fixtures/memory-model.ts';
import { seededCheckpoint } from '../fixtures/seeded-model.ts';

const MODEL_ID = 'seeded-model';
let expected: TranscriptEvent[] = [];

async function inPlace(): ReturnType<typeof connectWorker> {
  const runtime = await createWebRuntime({ provider: 'wasm', threads: 1 });
  return createEngine(await loadInMemory(seededCheckpoint(), 'fp32', runtime));
}

function inWorker(device: WebEngineRequest['device']): ReturnType<typeof connectWorker> {
  const worker = new Worker(new URL('../../workers/asr.worker.ts', import.meta.url), { type: 'module' });
  return connectWorker(worker, { model: { at: 'stored', id: MODEL_ID }, device });
}

beforeAll(async () => {
  const store = browserLibrary().store(MODEL_ID);
  const files = await convertInMemory(seededCheckpoint(), 'fp32');
  const manifest = await files.manifest();
  for (const { path, bytes } of filesOf(parseManifest(manifest)))
    await store.write(path, await files.file(path, bytes).read());
  await store.write(MANIFEST_PATH, new TextEncoder().encode(JSON.stringify(manifest)));

  const engine = await inPlace();
  const audio = (async function* () {
    yield { startSample: 0, samples: tone() };
  })();
  for await (const event of engine.transcribe(
    audio,
    { ...EXACT_OPTIONS, maxNewTokens: 12 },
    new AbortController().signal,
  )) {
    expected.push(event.type === 'end' ? { ...event, timings: {} as never } : event);
  }
  await engine.release();
});
afterAll(() => browserLibrary().delete(MODEL_ID));

describeEngine('in the page, on WASM', inPlace, async () => expected);
describeEngine(
  'in a worker, on WASM',
  () => inWorker('wasm'),
  async () => expected,
);

test('a worker that cannot find its model says so', async () => {
  const worker = new Worker(new URL('../../workers/asr.worker.ts', import.meta.url), { type: 'module' });
  const opening = connectWorker(worker, { model: { at: 'stored', id: 'nobody' }, device: 'wasm' });
  await expect(opening).rejects.toMatchObject({ code: 'model-not-found' });
});

test('a worker that cannot be started says so', async () => {
  const worker = new Worker(new URL('/there-is-no-such-file.js', import.meta.url), { type: 'module' });
  await expect(
    connectWorker(worker, { model: { at: 'stored', id: MODEL_ID }, device: 'wasm' }),
  ).rejects.toThrow(/worker/i);
});
