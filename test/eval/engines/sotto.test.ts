import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseEngineSpec } from '../../../src/eval/engines/engine-spec.ts';
import { openEvalEngine, engineMark } from '../../../src/eval/engines/open-eval-engine.ts';
import { MANIFEST_PATH, filesOf, parseManifest } from '../../../src/model/manifest.ts';
import { convertInMemory } from '../../fixtures/memory-model.ts';
import { seededCheckpoint } from '../../fixtures/seeded-model.ts';

// The seeded model says nonsense, but always the same.

const NEVER = new AbortController().signal;
let modelDir = '';
beforeAll(async () => {
  modelDir = await mkdtemp(join(tmpdir(), 'sotto-eval-'));
  const files = await convertInMemory(seededCheckpoint(), 'fp32');
  const manifest = await files.manifest();
  await writeFile(join(modelDir, MANIFEST_PATH), JSON.stringify(manifest));
  for (const { path, bytes } of filesOf(parseManifest(manifest))) {
    await writeFile(join(modelDir, path), await files.file(path, bytes).read());
  }
});
afterAll(() => rm(modelDir, { recursive: true }));

const samples = Float32Array.from({ length: 32_000 }, (_, n) => 0.3 * Math.sin((n * n) / 2e5));
const audio = { id: 'tone', samples, language: 'en', wav: () => new Uint8Array() };

test('opens a model folder, reads a clip, tells what it is', async () => {
  const spec = parseEngineSpec(`sotto,model=${modelDir},device=cpu,threads=1,exact=on,max-tokens=8`);
  const engine = await openEvalEngine(spec);
  try {
    const first = await engine.transcribe(audio, NEVER);
    expect(first.text.length).toBeGreaterThan(0);
    expect(first.firstTextMs).toBeGreaterThan(0);
    // The samples are still ours: blocks that move to the thread are copies.
    expect((await engine.transcribe(audio, NEVER)).text).toBe(first.text);
    expect(engine.facts.model).toMatch(/\(fp32, [0-9a-f]{8}\)$/);
    expect(engine.facts.device).toContain('cpu');
    expect(engine.facts.limits).toEqual(['reads at most 30 s per clip (reference-exact)']);
  } finally {
    await engine.close();
  }
});

test('a short pad is another reading; a clip read apart is what the reference reads of its utterance', async () => {
  const read = async (settings: string): Promise<string> => {
    const spec = parseEngineSpec(`sotto,model=${modelDir},device=cpu,threads=1,max-tokens=8,${settings}`);
    const engine = await openEvalEngine(spec);
    try {
      return (await engine.transcribe(audio, NEVER)).text;
    } finally {
      await engine.close();
    }
  };
  const exact = await read('exact=on');
  expect(await read('exact=on,pad=short')).not.toBe(exact);
  // Without detection the whole clip is the only utterance.
  expect(await read('alone=on,gain=off,voice=off')).toBe(exact);
});

test('the mark of the weights follows the manifest', async () => {
  const spec = parseEngineSpec(`sotto,model=${modelDir}`);
  const before = await engineMark(spec);
  expect(before).toMatch(/^[0-9a-f]{8} [0-9a-f]{64}$/);
  await writeFile(join(modelDir, MANIFEST_PATH), '{"other": "weights"}');
  expect(await engineMark(spec)).not.toBe(before);
  expect(await engineMark(parseEngineSpec('sotto,model=/nowhere'))).toMatch(/^no model [0-9a-f]{64}$/);
});
