// Pulling a checkpoint from real servers that misbehave: what arrives is the model that a conversion on the spot
// would make, or nothing.

import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { convert } from '../../../src/convert/convert.ts';
import { AsrError } from '../../../src/errors.ts';
import { MANIFEST_PATH } from '../../../src/model/manifest.ts';
import { memoryLibrary } from '../../../src/platform/install/memory-library.ts';
import { JOURNAL_PATH, pullUnderWay } from '../../../src/platform/pull/journal.ts';
import type { PullProgress } from '../../../src/platform/pull/progress.ts';
import { type Pulled, pullModel, type PullOptions } from '../../../src/platform/pull/pull.ts';
import { openRemoteSource } from '../../../src/platform/pull/remote-source.ts';
import { parseRepository } from '../../../src/platform/pull/repository.ts';
import type { ModelLibrary, ShardStore } from '../../../src/ports.ts';
import { memoryCheckpoint, MemorySink } from '../../fixtures/memory-checkpoint.ts';
import { StandInRepository } from '../../fixtures/stand-in-repository.ts';
import { type Asked, type Fault, type IllBehavedServer, startServer } from '../ill-behaved-server.ts';

const NEVER = new AbortController().signal;
const QUICK = { stallSeconds: 10, firstPauseSeconds: 0.01, maxPauseSeconds: 0.02, tries: 4 };
const BLOCK_BYTES = 1 << 16;
/** Small shards, so that there are several. */
const SMALL = { maxShardBytes: 300_000, maxWeightBytes: 120_000 };
const HUB = 'hf:stand/in@abc';
const ID = 'in-q8q4';

let repository: StandInRepository;
let expected: MemorySink;
let server: IllBehavedServer;
let library: ModelLibrary;

beforeAll(async () => {
  repository = await StandInRepository.make();
  expected = new MemorySink();
  const files = memoryCheckpoint(Object.fromEntries(repository.files));
  await convert(files, expected, { profile: 'q8q4', name: 'in', signal: NEVER, ...SMALL });
});
beforeEach(async () => {
  await serve(repository);
  library = memoryLibrary();
});
afterEach(() => server.close());

async function serve(files: StandInRepository): Promise<void> {
  server = await startServer(files);
  server.pages.set('api/models/stand/in/tree/abc', { type: 'application/json', body: files.hubListing() });
}

interface PullingOptions extends Partial<PullOptions> {
  readonly from?: string;
  readonly stallSeconds?: number;
}

async function pull({ from = HUB, stallSeconds = 10, ...options }: PullingOptions = {}): Promise<Pulled> {
  const { signal = NEVER } = options;
  const endpoints = { hub: server.origin, modelscope: server.origin };
  const source = await openRemoteSource(parseRepository(from, endpoints), {
    ...{ http: fetch, patience: { ...QUICK, stallSeconds }, signal },
    ...{ connections: 3, blockBytes: BLOCK_BYTES },
  });
  return pullModel(source, library, { profile: 'q8q4', name: 'in', signal, ...SMALL, ...options });
}

/** The model that converting on the spot makes, and nothing else. */
async function expectWhole(): Promise<void> {
  const store = library.store(ID);
  const names = (await store.list()).map((file) => file.path).filter((path) => path !== JOURNAL_PATH);
  expect(names.sort()).toEqual([...expected.files.keys()].sort());
  for (const path of names.filter((name) => name !== MANIFEST_PATH)) {
    expect(Buffer.from(await store.read(path)).equals(expected.file(path)), path).toBe(true);
  }
}

async function stored(): Promise<string[]> {
  return (await library.store(ID).list()).map((file) => file.path);
}

/** Something goes wrong with the weights' answers only. */
function faults(choose: (asked: Asked) => Fault | undefined): void {
  server.fault = (asked) => (asked.path.endsWith('.safetensors') ? choose(asked) : undefined);
}

/** The weights' server answers so many times, then never again. */
function failAfter(answers: number): void {
  let given = 0;
  faults(() => (given++ < answers ? undefined : { type: 'status', status: 503 }));
}

async function failure(options: PullingOptions = {}): Promise<AsrError> {
  const error: unknown = await pull(options).then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  if (!(error instanceof AsrError)) throw new Error('should fail in our words', { cause: error });
  return error;
}

describe('a repository that behaves', () => {
  test('becomes the model that converting on the spot makes, checked by its published hash', async () => {
    const seen: PullProgress[] = [];
    const pulled = await pull({ onProgress: (progress) => seen.push(progress) });
    expect(pulled).toMatchObject({ id: ID, verified: true });
    expect(pulled.manifest.source).toEqual({ repository: 'stand/in', revision: 'abc' });
    await expectWhole();
    expect(seen.at(-1)?.totalBytes).toBeGreaterThan(repository.weights.length * 0.8);
  });

  test('sends each block once', async () => {
    await pull();
    const starts = server.asked.filter(({ path }) => path.endsWith('.safetensors')).map((a) => a.startByte);
    expect(starts.sort((a, b) => a - b)).toEqual([...new Set(starts)]);
    // Small files come on top: the tokenizer above all.
    const small = [...repository.files.values()].reduce((sum, file) => sum + file.length, 0);
    expect(server.sentBytes).toBeLessThanOrEqual(small + BLOCK_BYTES);
  });

  test('on ModelScope, with the hashes that it lists', async () => {
    server.pages.set('api/v1/models/stand/in/repo/files', {
      type: 'application/json',
      body: repository.modelscopeListing(),
    });
    expect(await pull({ from: 'modelscope:stand/in' })).toMatchObject({ verified: true });
    await expectWhole();
  });

  test('on a plain host, where nobody publishes a hash', async () => {
    expect(await pull({ from: `${server.origin}/some/folder/` })).toMatchObject({ verified: false });
    await expectWhole();
  });

  test('may redirect to another host', async () => {
    const other = await startServer(repository);
    server.fault = () => ({ type: 'redirect', to: other.origin });
    expect(await pull()).toMatchObject({ verified: true });
    await expectWhole();
    await other.close();
  });

  test('its licence is read from its README', async () => {
    const body = '---\nlanguage: en\nlicense: apache-2.0\n---\n# Stand-in';
    await serve(repository.changed({ 'README.md': Buffer.from(body) }));
    expect((await pull()).manifest.source.licence).toBe('apache-2.0');
  });
});

describe('trouble on the way', () => {
  test('that passes is got over: cut lines, early ends, busy servers', async () => {
    const kinds: Fault[] = [
      { type: 'die', afterBytes: 30_000 },
      { type: 'end', afterBytes: 20_000 },
      { type: 'status', status: 503, headers: { 'retry-after': '0' } },
      { type: 'status', status: 429 },
    ];
    const met = new Set<number>();
    faults(({ startByte }) => {
      const block = Math.floor(startByte / BLOCK_BYTES);
      if (met.has(block)) return undefined;
      met.add(block);
      return kinds[block % 5];
    });
    expect(await pull()).toMatchObject({ verified: true });
    await expectWhole();
  });

  test('a line that falls silent is given up and asked again', async () => {
    let stalled = 0;
    faults(({ startByte }) =>
      startByte > 0 && stalled++ < 2 ? { type: 'stall', afterBytes: 1000 } : undefined,
    );
    expect(await pull({ stallSeconds: 0.5 })).toMatchObject({ verified: true });
    await expectWhole();
  });

  test('a wrong byte is noticed by the hash, and everything is fetched again', async () => {
    const place = repository.weights.length - 2000;
    let told = false;
    faults(({ startByte }) => {
      if (told || startByte + BLOCK_BYTES < place) return undefined;
      told = true;
      return { type: 'wrong', atByte: place };
    });
    expect(await pull()).toMatchObject({ verified: true });
    await expectWhole();
  });

  test('a byte that stays wrong leaves no model, and nothing else', async () => {
    faults(() => ({ type: 'wrong', atByte: repository.weights.length - 2000 }));
    expect((await failure()).code).toBe('weights-corrupt');
    expect(await stored()).toEqual([]);
  });

  test('a server that goes down for good leaves what is needed to go on', async () => {
    failAfter(16);
    expect((await failure()).code).toBe('source-unreachable');
    const under = await pullUnderWay(library.store(ID));
    expect(under).toMatchObject({ source: HUB, title: 'in', profile: 'q8q4' });
    faults(() => undefined);
    const before = server.sentBytes;
    expect(await pull()).toMatchObject({ verified: true });
    await expectWhole();
    const small = [...repository.files.values()].reduce((sum, file) => sum + file.length, 0);
    expect(server.sentBytes - before).toBeLessThan(small - 400_000);
  });
});

describe('stopping and going on', () => {
  test('at any byte costs a few blocks, also when it happens over and over', async () => {
    let stops = 0;
    for (;;) {
      const stop = new AbortController();
      const limit = server.sentBytes + 280_000;
      server.fault = () => {
        if (server.sentBytes > limit && stops < 6) stop.abort();
        return undefined;
      };
      const done = await pull({ signal: stop.signal }).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
        return undefined;
      });
      if (done !== undefined) break;
      stops++;
    }
    expect(stops).toBeGreaterThan(2);
    await expectWhole();
    const weights = server.asked.filter(({ path }) => path.endsWith('.safetensors')).length;
    const blocks = Math.ceil(repository.weights.length / BLOCK_BYTES);
    // The first block each time, what was under way, and what lay in memory only.
    expect(weights).toBeLessThan(blocks + 10 * (stops + 1));
  });

  test('from another mirror, where both publish the same hash', async () => {
    failAfter(16);
    await failure();
    await server.close();
    await serve(repository);
    server.pages.set('api/v1/models/stand/in/repo/files', {
      type: 'application/json',
      body: repository.modelscopeListing(),
    });
    expect(await pull({ from: 'modelscope:stand/in' })).toMatchObject({ verified: true });
    expect(server.asked.filter(({ path }) => path.endsWith('.safetensors')).length).toBeLessThan(
      Math.ceil(repository.weights.length / BLOCK_BYTES) - 5,
    );
    await expectWhole();
  });

  test('two pulls at once do the work once', async () => {
    let waited = 0;
    const both = await Promise.all([pull({ onWait: () => waited++ }), pull({ onWait: () => waited++ })]);
    expect(waited).toBe(1);
    expect(both.map(({ id }) => id)).toEqual([ID, ID]);
    await expectWhole();
    const starts = server.asked.filter(
      ({ path, startByte }) => path.endsWith('.safetensors') && startByte > 0,
    );
    expect(starts.length).toBeLessThan(1.5 * Math.ceil(repository.weights.length / BLOCK_BYTES));
  });

  test('a whole model is not made again, a damaged shard alone is', async () => {
    await pull();
    const store = library.store(ID);
    const shard = [...expected.files.keys()].find((path) => path.endsWith('.bin')) ?? '';
    const content = (await store.read(shard)).slice();
    content[100] = (content[100] ?? 0) ^ 1;
    await store.write(shard, content);
    const before = server.asked.filter(({ path }) => path.endsWith('.safetensors')).length;
    await pull();
    await expectWhole();
    const asked = server.asked.filter(({ path }) => path.endsWith('.safetensors')).length - before;
    expect(asked).toBeLessThan(Math.ceil(repository.weights.length / BLOCK_BYTES) / 2);
  });
});

describe('room', () => {
  function limited(inner: ModelLibrary, roomBytes: number, freeBytes: number | undefined): ModelLibrary {
    let left = roomBytes;
    const spend = (bytes: number): void => {
      if (bytes > left) throw new AsrError('storage-full', 'no room');
      left -= bytes;
    };
    const wrap = (store: ShardStore): ShardStore => ({
      ...{ list: () => store.list(), read: (path) => store.read(path), stream: (path) => store.stream(path) },
      ...{ finish: (path) => store.finish(path), delete: (path) => store.delete(path) },
      truncate: (path, keepBytes) => store.truncate(path, keepBytes),
      write: async (path, bytes) => (spend(bytes.length), store.write(path, bytes)),
      append: async (path, startByte, bytes) => (spend(bytes.length), store.append(path, startByte, bytes)),
    });
    return { ...inner, freeBytes: async () => freeBytes, store: (id) => wrap(inner.store(id)) };
  }

  test('that is too small is told before the weights are fetched', async () => {
    library = limited(library, Infinity, 500_000);
    const error = await failure();
    expect(error.code).toBe('storage-full');
    expect(error.message).toMatch(/needs \d\.\d\d GB, there is room for 0\.00 GB/);
    expect(server.asked.filter(({ path }) => path.endsWith('.safetensors')).length).toBeLessThan(4);
  });

  test.each([100_000, 900_000, 1_800_000])(
    'that runs out after %d bytes keeps what is good',
    async (roomBytes) => {
      const inner = library;
      library = limited(inner, roomBytes, undefined);
      expect((await failure()).code).toBe('storage-full');
      expect(await stored()).not.toContain(MANIFEST_PATH);
      library = inner;
      expect(await pull()).toMatchObject({ verified: true });
      await expectWhole();
    },
  );
});

test('a pull that is stopped ends when what it was storing is stored: nothing is written behind it', async () => {
  const inner = library;
  const stop = new AbortController();
  let [begun, underWay] = [0, 0];
  const slow = (store: ShardStore): ShardStore => ({
    ...{ list: () => store.list(), read: (path) => store.read(path), stream: (path) => store.stream(path) },
    ...{ finish: (path) => store.finish(path), delete: (path) => store.delete(path) },
    truncate: (path, keepBytes) => store.truncate(path, keepBytes),
    write: (path, bytes) => store.write(path, bytes),
    append: async (path, startByte, bytes) => {
      underWay++;
      if (++begun === 8) stop.abort();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await store.append(path, startByte, bytes);
      underWay--;
    },
  });
  library = { ...inner, store: (id) => slow(inner.store(id)) };
  await expect(pull({ signal: stop.signal })).rejects.toThrow();
  expect(underWay).toBe(0);
  library = inner;
  expect(await pull()).toMatchObject({ verified: true });
});

describe('what is no such checkpoint is told, and nothing stays', () => {
  function header(change: (json: Record<string, { dtype: string; shape: number[] }>) => void): Buffer {
    const { weights } = repository;
    const length = Number(weights.readBigUInt64LE(0));
    const json = JSON.parse(weights.subarray(8, 8 + length).toString()) as Parameters<typeof change>[0];
    change(json);
    const text = JSON.stringify(json);
    const head = Buffer.alloc(8 + 8 * Math.ceil(text.length / 8), 0x20);
    head.writeBigUInt64LE(BigInt(head.length - 8), 0);
    head.write(text, 8);
    return Buffer.concat([head, weights.subarray(8 + length)]);
  }
  const weightsOf = (change: Parameters<typeof header>[0]) => () => ({ 'model.safetensors': header(change) });
  const norm = 'audio_tower.norm.weight';

  test.each<[string, string, () => Record<string, Buffer | object | undefined>]>([
    ['another model', 'checkpoint-unsupported', () => ({ 'config.json': { model_type: 'whisper' } })],
    [
      'the old naming',
      'checkpoint-old-naming',
      weightsOf((json) => {
        json['audio_encoder.layer_norm.weight'] = json[norm] ?? { dtype: '', shape: [] };
        delete json[norm];
      }),
    ],
    [
      'an end in the middle',
      'checkpoint-malformed',
      () => ({ 'model.safetensors': repository.weights.subarray(0, -5000) }),
    ],
    [
      'a tensor of another shape',
      'checkpoint-mismatch',
      weightsOf((json) => {
        const entry = json['language_model.model.layers.0.mlp.up_proj.weight'];
        if (entry) entry.shape = entry.shape.toReversed();
      }),
    ],
    [
      'a tensor of another type',
      'checkpoint-unsupported',
      weightsOf((json) => {
        const entry = json[norm];
        if (entry) entry.dtype = 'I16';
      }),
    ],
    ['no weights', 'checkpoint-not-found', () => ({ 'model.safetensors': undefined })],
    ['no tokenizer', 'checkpoint-not-found', () => ({ 'tokenizer.json': undefined })],
    ['no config', 'checkpoint-not-found', () => ({ 'config.json': undefined })],
    [
      'weights that are no safetensors file',
      'checkpoint-malformed',
      () => ({ 'model.safetensors': Buffer.alloc(3_000_000, 0xff) }),
    ],
  ])('%s', async (_, code, changes) => {
    await server.close();
    await serve(repository.changed(changes()));
    expect((await failure()).code).toBe(code);
    expect(await stored()).toEqual([]);
  });
});

describe('a server that is none is told', () => {
  test.each<[string, string, Fault]>([
    ['it ignores ranges', 'source-no-ranges', { type: 'ignore-range' }],
    ['it answers with a web page', 'source-unreachable', { type: 'web-page' }],
    ['it refuses', 'source-unreachable', { type: 'status', status: 403 }],
    [
      'it has a file of another size than is published',
      'source-changed',
      { type: 'other-size', totalBytes: 5_000_000 },
    ],
  ])('%s', async (_, code, fault) => {
    faults(() => fault);
    expect((await failure()).code).toBe(code);
    expect(await stored()).not.toContain(MANIFEST_PATH);
  });

  test('its file changes while it is read', async () => {
    faults(({ startByte }) => (startByte > 700_000 ? { type: 'etag', etag: '"two"' } : undefined));
    expect((await failure()).code).toBe('source-changed');
    expect(await stored()).not.toContain(MANIFEST_PATH);
    faults(() => undefined);
    await pull();
    await expectWhole();
  });

  test('its config.json is a web page', async () => {
    server.fault = ({ path }) => (path.endsWith('config.json') ? { type: 'web-page' } : undefined);
    expect((await failure()).code).toBe('source-unreachable');
  });

  test('there is nobody', async () => {
    const { origin } = server;
    await server.close();
    expect((await failure({ from: `${origin}/x/` })).code).toBe('source-unreachable');
    await serve(repository);
  });
});
