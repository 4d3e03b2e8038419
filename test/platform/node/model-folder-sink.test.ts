import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { convert, type ConvertOptions } from '../../../src/convert/convert.ts';
import { filesOf, MANIFEST_PATH } from '../../../src/model/manifest.ts';
import { ModelFolderSink } from '../../../src/platform/node/model-folder-sink.ts';
import { memoryCheckpoint } from '../../fixtures/memory-checkpoint.ts';
import { randomCases, randomFiles } from '../../fixtures/random-checkpoints.ts';

const files = memoryCheckpoint(randomFiles(randomCases()[4]!));
let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'sotto-'));
  folder = join(parent, 'deep', 'model');
});

afterEach(() => rm(parent, { recursive: true }));

function options(more: Partial<ConvertOptions> = {}): ConvertOptions {
  const { signal } = new AbortController();
  return { profile: 'q8q4', name: 'test', signal, maxShardBytes: 200_000, maxWeightBytes: 60_000, ...more };
}

/** Converts until so many files are stored, then stops. */
async function interrupted(sink: ModelFolderSink, after: number): Promise<void> {
  const abort = new AbortController();
  let written = 0;
  const stopping = {
    recall: (key: string) => sink.recall(key),
    write: async (...args: Parameters<ModelFolderSink['write']>) => {
      await sink.write(...args);
      if (++written === after) abort.abort();
    },
  };
  await expect(convert(files, stopping, options({ signal: abort.signal }))).rejects.toMatchObject({
    name: 'AbortError',
  });
}

test('holds just the manifest and what it names', async () => {
  const manifest = await convert(files, new ModelFolderSink(folder), options());
  expect((await readdir(folder)).sort()).toEqual(
    [MANIFEST_PATH, ...filesOf(manifest).map((file) => file.path)].sort(),
  );
});

test('a new conversion keeps what an interrupted one finished, even in another process', async () => {
  await interrupted(new ModelFolderSink(folder), 3);
  expect((await readdir(folder)).length).toBe(4); // three shards and the journal
  const [shard] = (await readdir(folder)).filter((path) => path.startsWith('weights'));
  const before = await readFile(join(folder, shard!));
  let writes = 0;
  const sink = new ModelFolderSink(folder);
  const counting = {
    recall: (key: string) => sink.recall(key),
    write: (...args: Parameters<ModelFolderSink['write']>) => {
      writes++;
      return sink.write(...args);
    },
  };
  const manifest = await convert(files, counting, options());
  expect(writes).toBe(filesOf(manifest).length + 1 - 3);
  expect(await readFile(join(folder, shard!))).toEqual(before);
  expect(await readdir(folder)).not.toContain('conversion.journal');
});

test('a finished shard that was damaged since is made again', async () => {
  await interrupted(new ModelFolderSink(folder), 3);
  const [shard] = (await readdir(folder)).filter((path) => path.startsWith('weights'));
  const good = await readFile(join(folder, shard!));
  await writeFile(
    join(folder, shard!),
    good.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
  );
  await convert(files, new ModelFolderSink(folder), options());
  expect(await readFile(join(folder, shard!))).toEqual(good);
});

test('a model in the folder gives way to the new one, its files too', async () => {
  await convert(files, new ModelFolderSink(folder), options({ profile: 'fp32' }));
  await writeFile(join(folder, 'notes.txt'), 'mine');
  const manifest = await convert(files, new ModelFolderSink(folder), options());
  const expected = [MANIFEST_PATH, 'notes.txt', ...filesOf(manifest).map((file) => file.path)];
  expect((await readdir(folder)).sort()).toEqual(expected.sort());
});

test('discarding takes everything back, the folder too', async () => {
  const sink = new ModelFolderSink(folder);
  await interrupted(sink, 3);
  await sink.discard();
  expect(await readdir(parent)).toEqual(['deep']);
});

test('discarding leaves a folder that was there before, with what is in it', async () => {
  folder = parent;
  await writeFile(join(folder, 'notes.txt'), 'mine');
  const sink = new ModelFolderSink(folder);
  await interrupted(sink, 3);
  await sink.discard();
  expect(await readdir(folder)).toEqual(['notes.txt']);
});

test('an output that cannot be written is told', async () => {
  await writeFile(join(parent, 'deep'), 'a file where the folder should be');
  await expect(convert(files, new ModelFolderSink(folder), options())).rejects.toMatchObject({
    code: 'output-unwritable',
  });
});

// Root may write anywhere, whatever the permissions say.
test.skipIf(process.getuid?.() === 0)('a folder without permission is told', async () => {
  await chmod(parent, 0o500);
  await expect(convert(files, new ModelFolderSink(folder), options())).rejects.toMatchObject({
    code: 'output-unwritable',
  });
  await chmod(parent, 0o700);
});
