// A checkpoint as its makers publish it, given to the page: it becomes a model here.

import { createHash } from 'node:crypto';
import { cp, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/seeded-dir.ts';
import { REPOSITORY_CONFIG } from '../fixtures/stand-in-repository.ts';
import { writeStandInCheckpoint } from '../fixtures/stand-in-checkpoint.ts';
import { BUILT_PAGE } from './person.ts';
import { startStaticHost } from './static-host.ts';
import { visit, type Visitor } from './visitor.ts';

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

async function openModels({ page }: Visitor): Promise<void> {
  await page.getByRole('contentinfo').getByRole('button', { name: /model/i }).first().click();
  await page.getByRole('dialog', { name: 'Models' }).waitFor();
}

test('a damaged checkpoint is refused in a sentence, a whole one is converted, kept and offered', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const give = (folder: string): Promise<void> =>
    page.getByLabel('From files').setInputFiles(FILES.map((name) => join(folder, name)));

  await openModels(visitor);
  await give(cut);
  await page.getByRole('alert').getByText('The original model is damaged or incomplete.').waitFor();
  const models = page.getByRole('dialog', { name: 'Models' }).getByRole('listitem');
  const before = await models.count();

  await give(whole);
  const converted = models.filter({ hasText: 'GLM-ASR-Nano-2512' });
  await converted.getByText('Verified: every file matches its hash').waitFor();
  expect(await models.count()).toBe(before + 1);
  await page.reload();
  await openModels(visitor);
  await converted.getByText('Verified: every file matches its hash').waitFor();
  await converted.getByRole('button', { name: 'Check again' }).click();
  await converted.getByText('Verified: every file matches its hash').waitFor();
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});

test('a checkpoint on a host is fetched by ranges and compared with its published hash before it counts', async () => {
  const folder = await temporaryFolder();
  await cp(BUILT_PAGE, folder, { recursive: true });
  await cp(whole, join(folder, 'official'), { recursive: true });
  const weights = await readFile(join(whole, 'model.safetensors'));
  const published = {
    'x-linked-etag': createHash('sha256').update(weights).digest('hex'),
    'x-linked-size': String(weights.length),
  };
  const fetchFrom = async (
    headers: Record<string, string>,
    outcome: (dialog: Locator) => Locator,
  ): Promise<void> => {
    const host = await startStaticHost(folder, headers);
    const visitor = await visit({ url: host.address });
    const { page } = visitor;
    await openModels(visitor);
    await page.getByLabel(/address/i).fill(`${host.address}official/`);
    await page.getByLabel(/address/i).press('Enter');
    await outcome(page.getByRole('dialog', { name: 'Models' })).waitFor();
    expect(visitor.complaints).toEqual([]);
    await visitor.leave();
    await host.switchOff();
  };
  await fetchFrom(published, (dialog) =>
    dialog
      .getByRole('listitem')
      .filter({ hasText: 'official' })
      .getByText('Verified: every file matches its hash'),
  );
  await fetchFrom({ ...published, 'x-linked-etag': '0'.repeat(64) }, (dialog) =>
    dialog.getByRole('alert').getByText('Part of the model is damaged'),
  );
  await rm(folder, { recursive: true });
});
