// What axe finds, at each main state, in both themes.

import axe from 'axe-core';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { readText, visit } from './visitor.ts';

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

test.each(['light', 'dark'] as const)('axe finds nothing on any %s screen', async (colorScheme) => {
  const visitor = await visit({ colorScheme, reducedMotion: 'reduce' });
  const { page } = visitor;
  await page.getByRole('heading', { name: 'Try it' }).waitFor();
  expect(await findings(page)).toEqual([]);

  for (const [button, title] of [
    ['On this device', 'Your audio stays here'],
    ['processor', 'This device'],
    ['Get the full model', 'Models'],
  ]) {
    await page.getByRole('contentinfo').getByRole('button', { name: button }).click();
    await page.getByRole('dialog', { name: title }).waitFor();
    expect(await findings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Read it' }).first().click();
  await readText(page);
  await page.keyboard.press('Control+f');
  await page.getByLabel('Find', { exact: true }).fill('e');
  expect(await findings(page)).toEqual([]);

  await page.getByRole('link', { name: 'Library' }).click();
  await page.getByRole('heading', { name: 'Library' }).waitFor();
  expect(await findings(page)).toEqual([]);
  await visitor.leave();
});
