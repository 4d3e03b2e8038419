import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashOfCode, programMark } from '../../../src/eval/engines/program-mark.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-code-'));
  mkdirSync(join(folder, 'engine'));
  writeFileSync(join(folder, 'engine/loop.ts'), 'one');
  writeFileSync(join(folder, 'notes.md'), 'one');
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each<[string, () => void]>([
  ['a changed line', () => writeFileSync(join(folder, 'engine/loop.ts'), 'two')],
  ['a new file', () => writeFileSync(join(folder, 'engine/more.ts'), 'one')],
])('%s is another program', async (_, change) => {
  const before = await hashOfCode(folder, '.ts');
  change();
  expect(await hashOfCode(folder, '.ts')).not.toBe(before);
});

test('what is no code changes nothing', async () => {
  const before = await hashOfCode(folder, '.ts');
  writeFileSync(join(folder, 'notes.md'), 'two');
  expect(await hashOfCode(folder, '.ts')).toBe(before);
});

test('this program has a mark, always the same', async () => {
  expect(await programMark()).toMatch(/^[0-9a-f]{64}$/);
  expect(await programMark()).toBe(await programMark());
});
