// What every library of models and every store in it keeps to: in memory, on disk, in IndexedDB.

import { describe, expect, test } from 'vitest';
import { joinBytes } from '../../src/bytes.ts';
import type { ModelLibrary, ShardStore } from '../../src/ports.ts';

/** `open` gives an empty library; called once per test. */
export function shardStoreContract(name: string, open: () => Promise<ModelLibrary>): void {
  describe(`${name} as a store`, () => {
    storesFiles(open);
    growsFiles(open);
    shortensFiles(open);
  });
  describe(`${name} as a library`, () => {
    keepsModelsApart(open);
    takesTurns(open);
  });
}

const PATIENT = new AbortController().signal;

function storesFiles(open: () => Promise<ModelLibrary>): void {
  test('gives back what was written, also megabytes and nothing at all', async () => {
    const store = (await open()).store('m');
    for (const size of [0, 1, 70_000, 9_000_000]) {
      await store.write('weights.bin', seeded(size, size));
      expect(equal(await store.read('weights.bin'), seeded(size, size))).toBe(true);
      expect(await store.list()).toEqual([{ path: 'weights.bin', bytes: size, whole: true }]);
    }
  });

  test('stores the view it is given, not the buffer behind it', async () => {
    const store = (await open()).store('m');
    const large = seeded(1000, 1);
    await store.write('a.bin', large.subarray(10, 20));
    await store.append('b.bin', 0, large.subarray(20, 40));
    await store.finish('b.bin');
    expect(await store.read('a.bin')).toEqual(large.slice(10, 20));
    expect(await store.read('b.bin')).toEqual(large.slice(20, 40));
  });

  test('is not touched by what happens to the bytes afterwards', async () => {
    const store = (await open()).store('m');
    const bytes = seeded(100, 1);
    await store.write('a.bin', bytes);
    await store.append('b.bin', 0, bytes);
    bytes.fill(0);
    await store.finish('b.bin');
    (await store.read('a.bin')).fill(1);
    expect(await store.read('a.bin')).toEqual(seeded(100, 1));
    expect(await store.read('b.bin')).toEqual(seeded(100, 1));
  });

  test('says which file is missing', async () => {
    const store = (await open()).store('m');
    await expect(store.read('a.bin')).rejects.toMatchObject({ code: 'weights-missing' });
    await expect(store.finish('a.bin')).rejects.toMatchObject({ code: 'weights-missing' });
    expect(await streamed(store, 'a.bin')).toEqual(new Uint8Array(0));
    await store.truncate('a.bin', 0);
    await store.delete('a.bin');
    expect(await store.list()).toEqual([]);
  });

  test('deletes whole and unfinished files', async () => {
    const store = (await open()).store('m');
    await store.write('a.bin', seeded(10, 1));
    await store.append('b.bin', 0, seeded(10, 2));
    await store.write('c.bin', seeded(10, 3));
    await store.delete('a.bin');
    await store.delete('b.bin');
    expect(await store.list()).toEqual([{ path: 'c.bin', bytes: 10, whole: true }]);
  });
}

function growsFiles(open: () => Promise<ModelLibrary>): void {
  test('a file grows by parts, and can be read only when it is finished', async () => {
    const store = (await open()).store('m');
    const bytes = seeded(300_000, 7);
    await store.append('a.bin', 0, bytes.subarray(0, 100_000));
    await store.append('a.bin', 100_000, bytes.subarray(100_000, 100_001));
    await store.append('a.bin', 100_001, bytes.subarray(100_001));
    expect(await store.list()).toEqual([{ path: 'a.bin', bytes: 300_000, whole: false }]);
    await expect(store.read('a.bin')).rejects.toMatchObject({ code: 'weights-missing' });
    expect(equal(await streamed(store, 'a.bin'), bytes)).toBe(true);
    await store.finish('a.bin');
    expect(await store.list()).toEqual([{ path: 'a.bin', bytes: 300_000, whole: true }]);
    expect(equal(await store.read('a.bin'), bytes)).toBe(true);
    expect(equal(await streamed(store, 'a.bin'), bytes)).toBe(true);
  });

  test('refuses a part that does not go on where the file ends', async () => {
    const store = (await open()).store('m');
    await store.append('a.bin', 0, seeded(10, 1));
    await expect(store.append('a.bin', 5, seeded(10, 1))).rejects.toMatchObject({ code: 'model-busy' });
    await expect(store.append('a.bin', 11, seeded(10, 1))).rejects.toMatchObject({ code: 'model-busy' });
    expect(await streamed(store, 'a.bin')).toEqual(seeded(10, 1));
    await store.finish('a.bin');
    await expect(store.append('a.bin', 10, seeded(10, 1))).rejects.toMatchObject({ code: 'model-busy' });
  });

  test('a whole file replaces the beginning of one', async () => {
    const store = (await open()).store('m');
    await store.append('a.bin', 0, seeded(10, 1));
    await store.write('a.bin', seeded(5, 2));
    expect(await store.list()).toEqual([{ path: 'a.bin', bytes: 5, whole: true }]);
    expect(await store.read('a.bin')).toEqual(seeded(5, 2));
  });
}

function shortensFiles(open: () => Promise<ModelLibrary>): void {
  test('keeps the beginning of a shortened file, whole or not, inside a part and at its edge', async () => {
    const store = (await open()).store('m');
    const bytes = seeded(300, 3);
    for (const keepBytes of [250, 200, 150, 100, 1]) {
      await store.delete('a.bin');
      for (let at = 0; at < 300; at += 100) await store.append('a.bin', at, bytes.subarray(at, at + 100));
      if (keepBytes > 100) await store.finish('a.bin');
      await store.truncate('a.bin', keepBytes);
      expect(await store.list()).toEqual([{ path: 'a.bin', bytes: keepBytes, whole: false }]);
      expect(await streamed(store, 'a.bin')).toEqual(bytes.slice(0, keepBytes));
      await store.append('a.bin', keepBytes, bytes.subarray(keepBytes));
      await store.finish('a.bin');
      expect(await store.read('a.bin')).toEqual(bytes);
    }
  });

  test('a file cut at or beyond its end loses nothing and is unfinished', async () => {
    const store = (await open()).store('m');
    await store.write('a.bin', seeded(30, 3));
    await store.truncate('a.bin', 30);
    await store.truncate('a.bin', 99);
    expect(await store.list()).toEqual([{ path: 'a.bin', bytes: 30, whole: false }]);
    expect(await streamed(store, 'a.bin')).toEqual(seeded(30, 3));
  });

  test('a file cut to nothing can grow again', async () => {
    const store = (await open()).store('m');
    await store.write('a.bin', seeded(30, 3));
    await store.truncate('a.bin', 0);
    await store.append('a.bin', 0, seeded(4, 4));
    expect(await streamed(store, 'a.bin')).toEqual(seeded(4, 4));
  });
}

function keepsModelsApart(open: () => Promise<ModelLibrary>): void {
  test('keeps several models side by side and deletes one without touching the others', async () => {
    const library = await open();
    expect(await library.list()).toEqual([]);
    for (const [id, size] of [
      ['a', 10],
      ['a-b', 20],
      ['a.b', 30],
    ] as const) {
      await library.store(id).write('weights.bin', seeded(size, size));
      await library.store(id).append('more.bin', 0, seeded(1, 1));
    }
    await library.store('a').write('manifest.json', seeded(5, 5));
    await library.delete('a-b');
    await library.delete('never');
    const models = (await library.list()).sort((x, y) => (x.id < y.id ? -1 : 1));
    expect(models).toEqual([
      { id: 'a', storedBytes: 16, whole: true },
      { id: 'a.b', storedBytes: 31, whole: false },
    ]);
    expect(await library.store('a').read('weights.bin')).toEqual(seeded(10, 10));
    expect(await library.store('a-b').list()).toEqual([]);
  });

  test('a deleted model can be written again', async () => {
    const library = await open();
    const store = library.store('m');
    await store.write('a.bin', seeded(10, 1));
    await library.delete('m');
    await store.write('b.bin', seeded(10, 2));
    expect(await store.list()).toEqual([{ path: 'b.bin', bytes: 10, whole: true }]);
  });

  test('says nothing of free room or says a number', async () => {
    const free = await (await open()).freeBytes();
    expect(free === undefined || free > 0).toBe(true);
  });
}

function takesTurns(open: () => Promise<ModelLibrary>): void {
  test('lets one work on a model at a time, and others on other models meanwhile', async () => {
    const library = await open();
    const log: string[] = [];
    const gate = openGate();
    const first = library.exclusively('m', async () => void (log.push('first'), await gate.passed), {
      signal: PATIENT,
    });
    await until(() => log.length === 1);
    const onWait = (): void => void log.push('waits');
    const second = library.exclusively('m', async () => log.push('second'), { signal: PATIENT, onWait });
    await library.exclusively('other', async () => log.push('other'), { signal: PATIENT });
    await until(() => log.includes('waits'));
    expect(log).not.toContain('second');
    gate.open();
    await Promise.all([first, second]);
    expect(log.at(-1)).toBe('second');
  });

  test('hands the turn on when the work fails, and passes its result or failure through', async () => {
    const library = await open();
    const failing = library.exclusively('m', () => Promise.reject(new Error('no')), { signal: PATIENT });
    await expect(failing).rejects.toThrow('no');
    expect(await library.exclusively('m', async () => 42, { signal: PATIENT })).toBe(42);
  });

  test('stops waiting when the user changed their mind', async () => {
    const library = await open();
    const gate = openGate();
    let started = false;
    const first = library.exclusively('m', async () => ((started = true), gate.passed), { signal: PATIENT });
    await until(() => started);
    const stop = new AbortController();
    let ran = false;
    const onWait = (): void => stop.abort();
    const second = library.exclusively('m', async () => (ran = true), { signal: stop.signal, onWait });
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    gate.open();
    await first;
    expect(ran).toBe(false);
  });
}

function openGate(): { passed: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function streamed(store: ShardStore, path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of store.stream(path)) parts.push(part.slice());
  return joinBytes(parts);
}

/** Bytes that depend on the seed alone. */
function seeded(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 2_654_435_761 + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** As `toEqual`, which takes seconds for megabytes. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
