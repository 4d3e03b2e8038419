// A checkpoint as its makers publish it, given to the page: it becomes a model here.

import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/seeded-dir.ts';
import { REPOSITORY_CONFIG } from '../fixtures/stand-in-repository.ts';
import { writeStandInCheckpoint } from '../fixtures/stand-in-checkpoint.ts';
import { visit } from './visitor.ts';

const FILES = [
  'config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'model.safetensors',
];

let whole = '';
let cut = '';

beforeAll(async () => {
  whole = await temporaryFolder();
  await writeStandInCheckpoint(whole, { config: REPOSITORY_CONFIG });
  cut = await temporaryFolder();
  const bytes = await writeStandInCheckpoint(cut, { config: REPOSITORY_CONFIG });
  await truncate(join(cut, 'model.safetensors'), bytes - 1000);
});
afterAll(async () => {
  await rm(whole, { recursive: true });
  await rm(cut, { recursive: true });
});

test('a damaged checkpoint is refused in a sentence, a whole one is converted, kept and offered', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const openModels = async (): Promise<void> => {
    await page.getByRole('contentinfo').getByRole('button', { name: /model/i }).first().click();
    await page.getByRole('dialog', { name: 'Models' }).waitFor();
  };
  const give = (folder: string): Promise<void> =>
    page.getByLabel('From files').setInputFiles(FILES.map((name) => join(folder, name)));

  await openModels();
  await give(cut);
  await page.getByRole('alert').getByText('The original model is damaged or incomplete.').waitFor();
  const models = page.getByRole('dialog', { name: 'Models' }).getByRole('listitem');
  const before = await models.count();

  await give(whole);
  const converted = models.filter({ hasText: 'GLM-ASR-Nano-2512' });
  await converted.getByText('Verified: every file matches its hash').waitFor();
  expect(await models.count()).toBe(before + 1);
  await page.reload();
  await openModels();
  await converted.getByText('Verified: every file matches its hash').waitFor();
  await converted.getByRole('button', { name: 'Check again' }).click();
  await converted.getByText('Verified: every file matches its hash').waitFor();
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});
