// The installer against a real server that misbehaves.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AsrError } from '../../../src/errors.ts';
import { MANIFEST_PATH, PIECE_BYTES } from '../../../src/model/manifest.ts';
import { openHttpSource } from '../../../src/platform/install/http-source.ts';
import type { Patience } from '../../../src/platform/install/http.ts';
import { installModel, type Installed, type InstallOptions } from '../../../src/platform/install/install.ts';
import { memoryLibrary } from '../../../src/platform/install/memory-library.ts';
import type { InstallProgress } from '../../../src/platform/install/progress.ts';
import { installState, storedModel } from '../../../src/platform/install/stored-model.ts';
import { createNodeSha256 } from '../../../src/platform/node/sha256.ts';
import type { ModelLibrary, ShardStore } from '../../../src/ports.ts';
import { type Asked, type IllBehavedServer, startServer } from '../ill-behaved-server.ts';
import { standInModel, type StandInModel } from '../stand-in-model.ts';

const SHARD_BYTES = 2_500_000; // two pieces and a bit
const MODEL = standInModel({ shards: 3, shardBytes: SHARD_BYTES });
const ID = 'stand-in-fp32';
/** As patient as a test can be, on a machine that may be busy. */
const QUICK = { stallSeconds: 10, firstPauseSeconds: 0.01, maxPauseSeconds: 0.02, tries: 4 };
const IMPATIENT = { ...QUICK, stallSeconds: 0.3 };
const NEVER = new AbortController().signal;

let server: IllBehavedServer;
let library: ModelLibrary;
beforeEach(async () => {
  server = await startServer(MODEL);
  library = memoryLibrary();
});
afterEach(() => server.close());

async function install(
  options: Partial<InstallOptions> & { address?: string; patience?: Patience } = {},
): Promise<Installed> {
  const { address = `${server.origin}/model`, signal = NEVER, patience = QUICK } = options;
  const source = await openHttpSource(address, fetch, patience, signal);
  return installModel(source, library, { createSha256: createNodeSha256, signal, ...options });
}

/** Every file, byte for byte, and nothing else. */
async function expectWhole(model: StandInModel = MODEL): Promise<void> {
  const store = library.store(ID);
  const names = (await store.list()).map((file) => file.path).sort();
  expect(names).toEqual([...model.entries.map((entry) => entry.path), MANIFEST_PATH].sort());
  for (const path of names) expect(model.bytes(path)?.equals(await store.read(path)), path).toBe(true);
}

function shard(index: number): string {
  return MODEL.manifest.shards[index]!.path;
}

/** The library with `before` called ahead of everything that is written. */
function watched(inner: ModelLibrary, before: (path: string, bytes: number) => void): ModelLibrary {
  const watch = (store: ShardStore): ShardStore => ({
    list: () => store.list(),
    read: (path) => store.read(path),
    stream: (path) => store.stream(path),
    truncate: (path, keepBytes) => store.truncate(path, keepBytes),
    delete: (path) => store.delete(path),
    finish: (path) => store.finish(path),
    write: async (path, bytes) => (before(path, bytes.length), store.write(path, bytes)),
    append: async (path, startByte, bytes) => (
      before(path, bytes.length),
      store.append(path, startByte, bytes)
    ),
  });
  return { ...inner, store: (id) => watch(inner.store(id)) };
}

/** The share of the model that was sent more than once. */
function extra(): number {
  return server.sentBytes / MODEL.totalBytes - 1;
}

describe('a well-behaved server', () => {
  test('gives the whole model, each byte once, the manifest last', async () => {
    const written: string[] = [];
    library = watched(library, (path) => written.push(path));
    const installed = await install();
    expect(installed.id).toBe(ID);
    await expectWhole();
    expect(server.sentBytes).toBe(MODEL.totalBytes);
    expect(written.at(-1)).toBe(MANIFEST_PATH);
    expect((await library.list())[0]).toMatchObject({ id: ID, whole: true });
  });

  test('is not asked again for what is there', async () => {
    await install();
    server.sentBytes = 0;
    await install();
    expect(server.sentBytes).toBe(0);
    await expectWhole();
  });

  test('serves the loader: manifest and files of the right size', async () => {
    await install();
    const files = storedModel(library.store(ID));
    expect(await files.manifest()).toEqual(MODEL.manifest);
    const [entry] = MODEL.entries;
    expect(MODEL.bytes(entry!.path)?.equals(await files.file(entry!.path, entry!.bytes).read())).toBe(true);
    const wrongSize = files.file(entry!.path, entry!.bytes + 1).read();
    await expect(wrongSize).rejects.toMatchObject({ code: 'weights-corrupt' });
  });

  test('hears from us alone: one Range per request, nothing that asks for permission across origins', async () => {
    await install();
    for (const headers of server.headersSeen) {
      expect(headers.range).toMatch(/^bytes=\d+-$/);
      expect(headers['accept-encoding']).toBe('identity');
      expect(headers).not.toHaveProperty('if-range');
    }
  });

  test('tells progress that ends at all bytes and never claims more', async () => {
    const seen: InstallProgress[] = [];
    server.bytesPerSecond = 12e6;
    await install({ onProgress: (progress) => seen.push(progress) });
    const done = seen.map((progress) => progress.doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({
      at: 'fetching',
      doneBytes: MODEL.totalBytes,
      totalBytes: MODEL.totalBytes,
    });
    expect(seen.at(-1)!.bytesPerSecond).toBeGreaterThan(0);
    expect(seen.at(-1)!.bytesPerSecond).toBeLessThan(20e6);
    expect(seen.length).toBeGreaterThan(2);
  });
});

describe('a connection that fails', () => {
  test('is taken up where it broke', async () => {
    server.fault = ({ path, before }) =>
      path === shard(1) && before < 5 ? { type: 'die', afterBytes: 300_000 } : undefined;
    await install();
    await expectWhole();
    expect(server.asked.filter((asked) => asked.path === shard(1)).length).toBeGreaterThan(4);
    expect(extra()).toBeLessThan(0.1);
  });

  test('is not trusted when it ends early as if all were well', async () => {
    server.fault = ({ path, before }) =>
      path === shard(0) && before < 2 ? { type: 'end', afterBytes: 1_000_000 } : undefined;
    await install();
    await expectWhole();
    expect(extra()).toBe(0);
  });

  test('is given up when silent, and opened again', async () => {
    server.fault = ({ before }) => (before === 0 ? { type: 'stall', afterBytes: 100 } : undefined);
    await install({ patience: IMPATIENT });
    await expectWhole();
  });

  test('says so when it stays dead, and keeps what came', async () => {
    server.fault = ({ path, startByte }) =>
      path === shard(2) ? { type: 'die', afterBytes: startByte > 0 ? 0 : 1_500_000 } : undefined;
    await expect(install()).rejects.toMatchObject({ code: 'source-unreachable' });
    expect((await installState(library.store(ID))).at).toBe('unfinished');
    server.fault = () => undefined;
    await install();
    await expectWhole();
    expect(extra()).toBeLessThan(0.1);
  });

  test('does not end the tries while each of them brings something', async () => {
    server.fault = ({ path }) => (path === shard(0) ? { type: 'die', afterBytes: 200_000 } : undefined);
    await install();
    await expectWhole();
  });
});

describe('wrong bytes', () => {
  test('cost one piece, not the file', async () => {
    server.fault = ({ path, before }) =>
      path === shard(1) && before === 0 ? { type: 'wrong', atByte: PIECE_BYTES + 5 } : undefined;
    await install();
    await expectWhole();
    expect(server.sentBytes).toBeLessThan(MODEL.totalBytes + 2 * PIECE_BYTES);
    const again = server.asked.filter((asked) => asked.path === shard(1)).map((asked) => asked.startByte);
    expect(again).toEqual([0, PIECE_BYTES]);
  });

  test('in several places of one file are each got over', async () => {
    server.fault = ({ path, before }) =>
      path === shard(1) && before < 6
        ? { type: 'wrong', atByte: before < 3 ? 1 : SHARD_BYTES - 1 }
        : undefined;
    await install();
    await expectWhole();
  });

  test('that stay wrong are refused by name; the rest is kept', async () => {
    server.fault = ({ path }) => (path === shard(1) ? { type: 'wrong', atByte: SHARD_BYTES - 1 } : undefined);
    await expect(install()).rejects.toMatchObject({
      code: 'weights-corrupt',
      message: expect.stringContaining(shard(1)) as string,
    });
    expect((await library.store(ID).list()).some((file) => file.path === MANIFEST_PATH)).toBe(false);
    server.fault = () => undefined;
    server.sentBytes = 0;
    await install();
    await expectWhole();
    expect(server.sentBytes).toBeLessThan(MODEL.totalBytes);
  });

  test('are noticed without a list of pieces too, at the end of the file', async () => {
    const plain = standInModel({ shards: 2, shardBytes: SHARD_BYTES, pieces: false });
    await server.close();
    server = await startServer(plain);
    const [first] = plain.manifest.shards;
    server.fault = ({ path, before }) =>
      path === first!.path && before === 0 ? { type: 'wrong', atByte: 100 } : undefined;
    await install();
    await expectWhole(plain);
  });
});

describe('a server with ways of its own', () => {
  test('may ignore ranges: what is there already is skipped', async () => {
    server.fault = ({ path, before }) => {
      if (path === shard(0) && before === 0) return { type: 'die', afterBytes: 1_500_000 };
      return { type: 'ignore-range' };
    };
    await install();
    await expectWhole();
  });

  test('may change the ETag of the same bytes, as replicas do, without costing anything', async () => {
    server.fault = ({ path, before }) => {
      if (path === shard(0) && before % 2 === 0) return { type: 'die', afterBytes: 700_000 };
      return { type: 'etag', etag: `"${before}"` };
    };
    await install();
    await expectWhole();
    expect(extra()).toBeLessThan(0.05);
  });

  test('may send elsewhere for the files', async () => {
    const other = await startServer(MODEL);
    server.fault = ({ path }) =>
      path === MANIFEST_PATH ? undefined : { type: 'redirect', to: other.origin };
    await install();
    await expectWhole();
    expect(other.sentBytes).toBe(MODEL.totalBytes);
    expect(server.sentBytes).toBe(0);
    await other.close();
  });

  test('may be busy for a while, and is left alone as long as it asks', async () => {
    const askedAt: number[] = [];
    server.fault = ({ path, before }) => {
      if (path !== shard(0)) return undefined;
      askedAt.push(performance.now());
      if (before === 0) return { type: 'status', status: 429, headers: { 'retry-after': '1' } };
      return before === 1 ? { type: 'status', status: 503 } : undefined;
    };
    await install();
    await expectWhole();
    expect(askedAt[1]! - askedAt[0]!).toBeGreaterThan(950);
  });

  test('may hold a shard of another size: that is no copy of this model', async () => {
    server.fault = ({ path }) =>
      path === shard(0) ? { type: 'other-size', totalBytes: 2_000_000 } : undefined;
    await expect(install()).rejects.toMatchObject({ code: 'source-changed' });
  });

  test('may end a file before the place that we have come to', async () => {
    server.fault = ({ path, before }) => {
      if (path !== shard(0)) return undefined;
      return before === 0 ? { type: 'die', afterBytes: 1_000_000 } : { type: 'status', status: 416 };
    };
    await expect(install()).rejects.toMatchObject({ code: 'source-changed' });
  });

  test('may put a sign-in page in the place of a shard', async () => {
    server.fault = ({ path }) => (path === shard(0) ? { type: 'web-page' } : undefined);
    await expect(install()).rejects.toMatchObject({
      code: 'source-unreachable',
      message: expect.stringContaining('web page') as string,
    });
  });

  test.each([
    [404, 'it is not there'],
    [403, 'no access'],
  ])('may refuse a shard with %i, and is not asked twice', async (status, words) => {
    server.fault = ({ path }) => (path === shard(0) ? { type: 'status', status } : undefined);
    await expect(install()).rejects.toMatchObject({
      code: 'source-unreachable',
      message: expect.stringContaining(words) as string,
    });
    expect(server.asked.filter((asked) => asked.path === shard(0))).toHaveLength(1);
  });

  test.each<[string, (asked: Asked) => ReturnType<IllBehavedServer['fault']>, string]>([
    ['is not there', () => ({ type: 'status', status: 404 }), 'model-not-found'],
    ['is a web page', () => ({ type: 'web-page' }), 'model-not-found'],
    ['never comes', () => ({ type: 'stall', afterBytes: 0 }), 'source-unreachable'],
    ['comes in half', () => ({ type: 'end', afterBytes: 100 }), 'source-unreachable'],
    ['is broken', () => ({ type: 'wrong', atByte: 0 }), 'manifest-invalid'],
  ])('may have a manifest that %s', async (_name, fault, code) => {
    server.fault = fault;
    await expect(install({ patience: IMPATIENT })).rejects.toMatchObject({ code });
    expect(await library.list()).toEqual([]);
  });

  test('may not exist', async () => {
    await expect(install({ address: 'http://127.0.0.1:9/' })).rejects.toMatchObject({
      code: 'source-unreachable',
    });
  });

  test('may not name files so that a name can stand for other content', async () => {
    const [first, ...rest] = MODEL.manifest.shards;
    const shards = [{ ...first!, path: 'weights.bin' }, ...rest];
    const body = JSON.stringify({ ...MODEL.manifest, shards, graphs: [] });
    server.pages.set(MANIFEST_PATH, { type: 'application/json', body });
    await expect(install()).rejects.toMatchObject({ code: 'manifest-invalid' });
  });
});

describe('the user', () => {
  test('pauses without losing a byte, and goes on', async () => {
    server.bytesPerSecond = 15e6;
    const stop = new AbortController();
    const onProgress = ({ doneBytes }: InstallProgress): void => {
      if (doneBytes > MODEL.totalBytes / 3) stop.abort();
    };
    await expect(install({ signal: stop.signal, onProgress })).rejects.toMatchObject({ name: 'AbortError' });
    const state = await installState(library.store(ID));
    expect(state).toMatchObject({
      at: 'unfinished',
      totalBytes: MODEL.totalBytes,
      source: `${server.origin}/model/`,
    });
    expect(state.at === 'unfinished' && state.doneBytes).toBeGreaterThan(MODEL.totalBytes / 4);
    await install();
    await expectWhole();
    expect(extra()).toBeLessThan(0.1);
    expect((await installState(library.store(ID))).at).toBe('whole');
  });

  test('stops at once while we wait for a silent server', async () => {
    server.fault = ({ path }) => (path === MANIFEST_PATH ? undefined : { type: 'stall', afterBytes: 0 });
    const stop = new AbortController();
    const patient = { ...QUICK, stallSeconds: 60 };
    const source = await openHttpSource(server.origin, fetch, patient, NEVER);
    const installing = installModel(source, library, { createSha256: createNodeSha256, signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    const startedAt = performance.now();
    await expect(installing).rejects.toMatchObject({ name: 'AbortError' });
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test('mends a model that storage has damaged; only the damaged piece is fetched', async () => {
    await install();
    const store = library.store(ID);
    const bytes = await store.read(shard(1));
    bytes[2_400_000]! ^= 1;
    await store.write(shard(1), bytes);
    await store.truncate(shard(2), 100);
    server.sentBytes = 0;
    await install({ recheck: true });
    await expectWhole();
    const missing = SHARD_BYTES - 2 * PIECE_BYTES + (SHARD_BYTES - 100);
    expect(server.sentBytes).toBe(missing);
  });

  test('gets a newer version over the older one, which serves until then and goes when it is replaced', async () => {
    await install();
    const newer = standInModel({ shards: 2, shardBytes: 1_500_000, seed: 2 });
    await server.close();
    server = await startServer(newer);
    server.fault = ({ path }) => (path.startsWith('weights') ? { type: 'status', status: 404 } : undefined);
    await expect(install()).rejects.toMatchObject({ code: 'source-unreachable' });
    expect(await storedModel(library.store(ID)).manifest()).toEqual(MODEL.manifest);
    expect(MODEL.bytes(shard(0))?.equals(await library.store(ID).read(shard(0)))).toBe(true);
    server.fault = () => undefined;
    await install();
    await expectWhole(newer);
  });

  test('hears before anything is fetched that there is no room', async () => {
    library = { ...library, freeBytes: async () => 1_000_000 };
    await expect(install()).rejects.toMatchObject({ code: 'storage-full' });
    expect(server.sentBytes).toBe(0);
  });

  test('keeps what was stored when the room runs out on the way', async () => {
    let roomBytes = 4_000_000;
    library = watched(library, (_path, bytes) => {
      roomBytes -= bytes;
      if (roomBytes < 0) throw new AsrError('storage-full', 'no more');
    });
    await expect(install()).rejects.toMatchObject({ code: 'storage-full' });
    expect(await installState(library.store(ID))).toMatchObject({ at: 'unfinished' });
    expect((await library.list())[0]!.storedBytes).toBeGreaterThan(3_800_000);
    roomBytes = Infinity;
    await install();
    await expectWhole();
  });
});
