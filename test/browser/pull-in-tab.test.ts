// A checkpoint becomes a model in IndexedDB: from files that were given, stopped and gone on with, without any server.

import { expect, test } from 'vitest';
import { MANIFEST_PATH } from '../../src/model/manifest.ts';
import { JOURNAL_PATH, pullUnderWay } from '../../src/platform/pull/journal.ts';
import type { GivenFile } from '../../src/platform/web/given-file.ts';
import { pullInTab } from '../../src/platform/web/pull-in-tab.ts';
import { browserLibrary } from '../../src/platform/web/shard-store.ts';
import { convert } from '../../src/convert/convert.ts';
import { sameBytes } from '../../src/convert/matrix.ts';
import { memoryCheckpoint, MemorySink } from '../fixtures/memory-checkpoint.ts';
import { seededFiles } from '../fixtures/seeded-model.ts';

const SMALL = { maxShardBytes: 600_000 };

function given(): GivenFile[] {
  return Object.entries(seededFiles()).map(([path, content]) => {
    const part = content instanceof Uint8Array ? content.slice() : JSON.stringify(content);
    return { path: `seeded/${path}`, file: new File([part], path, { lastModified: 1 }) };
  });
}

test('a dropped checkpoint is converted into storage; stopped in the middle, it goes on', async () => {
  const library = browserLibrary(`test-${crypto.randomUUID()}`);
  const store = library.store('seeded-q8q4');
  const stop = new AbortController();
  const origin = { from: 'files', files: given() } as const;
  const watched = {
    ...library,
    store: (id: string) => {
      const inner = library.store(id);
      const write: typeof inner.write = async (path, bytes) => {
        await inner.write(path, bytes);
        if (path.startsWith('weights')) stop.abort();
      };
      return Object.assign(Object.create(inner) as typeof inner, {
        ...{ write, list: () => inner.list(), read: (path: string) => inner.read(path) },
        ...{ stream: (path: string) => inner.stream(path), delete: (path: string) => inner.delete(path) },
      });
    },
  };
  const options = { profile: 'q8q4', ...SMALL } as const;
  const stopped = pullInTab(origin, watched, { ...options, signal: stop.signal });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  expect(await pullUnderWay(store)).toMatchObject({ title: 'seeded', profile: 'q8q4' });
  const { signal } = new AbortController();
  const { id } = await pullInTab({ from: 'files', files: given() }, library, { ...options, signal });
  expect(id).toBe('seeded-q8q4');
  expect(await pullUnderWay(store)).toBeUndefined();
  const expected = new MemorySink();
  await convert(memoryCheckpoint(seededFiles()), expected, { ...options, name: 'seeded', signal });
  const names = (await store.list()).map((file) => file.path).filter((path) => path !== JOURNAL_PATH);
  expect(names.sort()).toEqual([...expected.files.keys()].sort());
  for (const name of names.filter((path) => path !== MANIFEST_PATH)) {
    expect(sameBytes(await store.read(name), expected.file(name)), name).toBe(true);
  }
});
