import { mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROFILES, parseManifest } from '../../src/model/manifest.ts';
import { temporaryFolder, writeSeededCheckpoint } from '../fixtures/seeded-dir.ts';
import { runSotto } from './run-sotto.ts';

let folder: string;
let checkpoint: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  checkpoint = join(folder, 'checkpoint');
  await writeSeededCheckpoint(checkpoint);
});
afterAll(() => rm(folder, { recursive: true }));

test.each(PROFILES)('converts a checkpoint to %s', async (profile) => {
  const out = join(folder, profile);
  const { code, stderr } = await runSotto([
    'convert',
    checkpoint,
    out,
    '--profile',
    profile,
    '--name',
    'tiny',
  ]);
  expect(code).toBe(0);
  expect(stderr).toMatch(new RegExp(`^tiny \\(${profile}\\): [\\d.]+ MB in `));
  const manifest = parseManifest(JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')));
  expect(manifest).toMatchObject({ name: 'tiny', profile });
});

test('leaves nothing behind when it fails, and says why in one line', async () => {
  const damaged = join(folder, 'damaged');
  await writeSeededCheckpoint(damaged);
  await truncate(join(damaged, 'model.safetensors'), 5000);
  const out = join(folder, 'never');
  const { code, stderr } = await runSotto(['convert', damaged, out]);
  expect(code).toBe(31);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  await expect(readdir(out)).rejects.toThrow(/ENOENT/);
});

test('tells other models, the old layout, and a config that does not fit apart', async () => {
  const other = join(folder, 'other');
  await writeSeededCheckpoint(other);
  const config = JSON.parse(await readFile(join(other, 'config.json'), 'utf8'));
  const codeWith = async (changed: object): Promise<number | null> => {
    await writeFile(join(other, 'config.json'), JSON.stringify(changed));
    return (await runSotto(['convert', other, join(folder, 'never')])).code;
  };
  expect(await codeWith({ ...config, model_type: 'whisper' })).toBe(33);
  expect(await codeWith({ lm_config: {}, whisper_config: {} })).toBe(32);
  expect(await codeWith({ ...config, text_config: { ...config.text_config, hidden_size: 80 } })).toBe(34);
  expect(await codeWith({ ...config, audio_config: { ...config.audio_config, num_hidden_layers: 3 } })).toBe(
    34,
  );
  expect((await runSotto(['convert', join(folder, 'nowhere'), join(folder, 'never')])).code).toBe(30);
});

test('says that the output cannot be written', async () => {
  const file = join(folder, 'file');
  await mkdir(folder, { recursive: true });
  await writeFile(file, '');
  expect((await runSotto(['convert', checkpoint, join(file, 'out')])).code).toBe(45);
});
