import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CheckpointFolder } from '../../../src/platform/node/checkpoint-folder.ts';

const signal = new AbortController().signal;
let folder: string;
let files: CheckpointFolder;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-'));
  files = new CheckpointFolder(folder);
  await writeFile(join(folder, 'a.bin'), Uint8Array.of(0, 1, 2, 3, 4));
});

afterEach(async () => {
  await files.close();
  await rm(folder, { recursive: true });
});

test('reads any range of a file', async () => {
  const source = (await files.open('a.bin', signal))!;
  expect(source.bytes).toBe(5);
  expect([...(await source.read(1, 3, signal))]).toEqual([1, 2, 3]);
  expect([...(await source.read(5, 0, signal))]).toEqual([]);
});

test('says undefined for a file that is not there', async () => {
  expect(await files.open('b.bin', signal)).toBeUndefined();
});

test('has another version once the file was written again', async () => {
  const before = (await files.open('a.bin', signal))!.version;
  await writeFile(join(folder, 'a.bin'), Uint8Array.of(1));
  expect((await files.open('a.bin', signal))!.version).not.toBe(before);
});

test('tells a folder that is none, a file that is a folder, and a file that got shorter', async () => {
  await expect(new CheckpointFolder(join(folder, 'none')).open('a.bin', signal)).rejects.toMatchObject({
    code: 'checkpoint-not-found',
  });
  await mkdir(join(folder, 'sub'));
  await expect(files.open('sub', signal)).rejects.toMatchObject({ code: 'checkpoint-malformed' });
  const source = (await files.open('a.bin', signal))!;
  await writeFile(join(folder, 'a.bin'), Uint8Array.of(1));
  await expect(source.read(0, 5, signal)).rejects.toMatchObject({ code: 'checkpoint-malformed' });
});
