// The conversion as a whole: what is stored, in which order, and what happens when something goes wrong.

import { describe, expect, test } from 'vitest';
import type { ByteSource, CheckpointFiles } from '../../src/convert/byte-source.ts';
import { convert, type ConvertOptions } from '../../src/convert/convert.ts';
import { fillShards, FillMemory } from '../../src/convert/fill.ts';
import { sha256 } from '../../src/convert/hash.ts';
import { wholeMatrix } from '../../src/convert/matrix.ts';
import { readDirectory } from '../../src/convert/safetensors.ts';
import { planShards } from '../../src/convert/shards.ts';
import { weight } from '../../src/convert/weights.ts';
import { filesOf, MANIFEST_PATH, parseManifest, PROFILES } from '../../src/model/manifest.ts';
import { memoryCheckpoint, MemorySink, safetensors } from '../fixtures/memory-checkpoint.ts';
import { randomCases, randomFiles } from '../fixtures/random-checkpoints.ts';

const [, SHARDED, , , TIED] = randomCases();
const files = randomFiles(TIED!);

function options(more: Partial<ConvertOptions> = {}): ConvertOptions {
  return { profile: 'q8q4', name: 'test', signal: new AbortController().signal, ...more };
}

/** Small shards, so that there are several. */
const SMALL = { maxShardBytes: 200_000, maxWeightBytes: 60_000 };

/** Files that count and may spoil what is read. */
function watched(
  inner: CheckpointFiles,
  onRead: (source: ByteSource, offset: number, length: number) => void,
  change: Partial<ByteSource> = {},
): CheckpointFiles {
  return {
    open: async (path, signal) => {
      const source = await inner.open(path, signal);
      return (
        source && {
          ...source,
          ...change,
          read: (offset, length, readSignal) => {
            onRead(source, offset, length);
            return source.read(offset, length, readSignal);
          },
        }
      );
    },
  };
}

describe.each(PROFILES)('profile %s', (profile) => {
  test('stores what the manifest says, under names that are hashes, the manifest last', async () => {
    const sink = new MemorySink();
    const manifest = await convert(memoryCheckpoint(files), sink, options({ profile, ...SMALL }));
    expect(sink.order.at(-1)).toBe(MANIFEST_PATH);
    expect(parseManifest(JSON.parse(new TextDecoder().decode(sink.file(MANIFEST_PATH))))).toEqual(manifest);
    expect(new Set(sink.files.keys())).toEqual(
      new Set([MANIFEST_PATH, ...filesOf(manifest).map((file) => file.path)]),
    );
    for (const { path, bytes, sha256: hash } of filesOf(manifest)) {
      const content = sink.file(path);
      expect(content.length).toBe(bytes);
      expect(await sha256(content)).toBe(hash);
      expect(path).toContain(hash.slice(0, 16));
    }
    expect(manifest.shards.length).toBeGreaterThan(2);
    expect(Math.max(...manifest.shards.map((shard) => shard.bytes))).toBeLessThanOrEqual(SMALL.maxShardBytes);
  });

  test('gives the same bytes every time', async () => {
    const [first, second] = [new MemorySink(), new MemorySink()];
    await convert(memoryCheckpoint(files), first, options({ profile }));
    await convert(memoryCheckpoint(files), second, options({ profile }));
    expect([...second.files.keys()]).toEqual([...first.files.keys()]);
  });
});

test('encoder and decoder have no shard in common', async () => {
  const { graphs } = await convert(memoryCheckpoint(files), new MemorySink(), options());
  for (const { encoder, decoder } of graphs) {
    expect(encoder.shards.filter((path) => decoder.shards.includes(path))).toEqual([]);
  }
});

test('both activation types of a profile read the same shards', async () => {
  const { graphs } = await convert(memoryCheckpoint(files), new MemorySink(), options());
  expect(graphs.map((pair) => pair.activation)).toEqual(['float16', 'float32']);
  expect(graphs[0]!.decoder.shards).toEqual(graphs[1]!.decoder.shards);
});

test('reads every weight once, and says how far it is', async () => {
  const read = new Map<string, number>();
  const counting = watched(memoryCheckpoint(randomFiles(SHARDED!)), ({ name }, offset, length) => {
    if (offset > 8) read.set(name, (read.get(name) ?? 0) + length);
  });
  const progress: number[] = [];
  let total = 0;
  await convert(
    counting,
    new MemorySink(),
    options({
      profile: 'fp32',
      onProgress: ({ doneBytes, totalBytes }) => {
        progress.push(doneBytes);
        total = totalBytes;
      },
    }),
  );
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(progress.at(-1)).toBe(total);
  const weights = [...read].filter(([name]) => name.endsWith('.safetensors'));
  // Key and value heads of the encoder are repeated in this model, and the probe of the head reads a few rows twice.
  expect(weights.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(total * 1.2);
});

describe('a head that is a copy', () => {
  test('is stored once', async () => {
    const tied = await convert(memoryCheckpoint(files), new MemorySink(), options({ profile: 'fp32' }));
    const apart = await convert(
      memoryCheckpoint(differingLate()),
      new MemorySink(),
      options({ profile: 'fp32' }),
    );
    const size = (manifest: typeof tied): number =>
      manifest.shards.reduce((sum, shard) => sum + shard.bytes, 0);
    const { vocabSize, hiddenSize } = tied.config.text;
    expect(size(apart) - size(tied)).toBeGreaterThanOrEqual(vocabSize * hiddenSize * 4);
  });

  /** A head that differs from the embedding in its last row only: found out while the table is read. */
  function differingLate(): Record<string, Uint8Array | object> {
    const name = Object.keys(files).findLast((path) => path.endsWith('.safetensors'))!;
    const part = (files[name] as Uint8Array).slice();
    const headerBytes = Number(new DataView(part.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(part.subarray(8, 8 + headerBytes))) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    const entry =
      header['language_model.lm_head.weight'] ?? header['language_model.model.embed_tokens.weight']!;
    part[8 + headerBytes + entry.data_offsets[1] - 2]! ^= 1;
    return { ...files, [name]: part };
  }
});

describe('an interrupted conversion', () => {
  test('goes on with the shards that are missing, and ends with the same bytes', async () => {
    const whole = new MemorySink();
    await convert(memoryCheckpoint(files), whole, options(SMALL));

    const sink = new MemorySink();
    const abort = new AbortController();
    const stopping = {
      recall: (key: string) => sink.recall(key),
      write: async (...[file, content, key]: Parameters<MemorySink['write']>) => {
        await sink.write(file, content, key);
        if (sink.order.length === 3) abort.abort();
      },
    };
    const first = convert(memoryCheckpoint(files), stopping, options({ ...SMALL, signal: abort.signal }));
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    expect(sink.order).toHaveLength(3);

    await convert(memoryCheckpoint(files), sink, options(SMALL));
    expect(new Set(sink.order).size).toBe(sink.order.length);
    expect([...sink.files.keys()].sort()).toEqual([...whole.files.keys()].sort());
  });

  test('starts again when the checkpoint is another one, or cannot say', async () => {
    const sink = new MemorySink();
    await convert(memoryCheckpoint(files), sink, options());
    const before = sink.order.length;
    await convert(
      watched(memoryCheckpoint(files), () => undefined, { version: 'another' }),
      sink,
      options(),
    );
    expect(sink.order.length).toBe(2 * before);
    const unknown = watched(memoryCheckpoint(files), () => undefined);
    const nameless: CheckpointFiles = {
      open: async (path, signal) => {
        const source = await unknown.open(path, signal);
        return source && { name: source.name, bytes: source.bytes, read: source.read };
      },
    };
    await convert(nameless, sink, options());
    expect(sink.order.length).toBe(3 * before);
  });
});

describe('fails', () => {
  test('as the source fails, and stores no manifest', async () => {
    const sink = new MemorySink();
    let reads = 0;
    const failing = watched(memoryCheckpoint(files), () => {
      if (++reads > 20) throw new Error('the disk is gone');
    });
    await expect(convert(failing, sink, options())).rejects.toThrow('the disk is gone');
    expect(sink.order).not.toContain(MANIFEST_PATH);
  });

  test('as the sink fails', async () => {
    const full = { write: () => Promise.reject(new Error('no room')) };
    await expect(convert(memoryCheckpoint(files), full, options())).rejects.toThrow('no room');
  });

  test('at once when it is told to stop before it begins', async () => {
    const sink = new MemorySink();
    const stopped = convert(memoryCheckpoint(files), sink, options({ signal: AbortSignal.abort() }));
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(sink.order).toEqual([]);
  });

  test('naming the tensor whose weights are no numbers', async () => {
    const [first] = randomCases();
    const spoiled = randomFiles(first!);
    const file = (spoiled['model.safetensors'] as Uint8Array).slice();
    new DataView(file.buffer).setFloat32(file.length - 4, NaN, true);
    const conversion = convert(
      memoryCheckpoint({ ...spoiled, 'model.safetensors': file }),
      new MemorySink(),
      options(),
    );
    await expect(conversion).rejects.toMatchObject({
      code: 'checkpoint-malformed',
      message: expect.stringContaining('multi_modal_projector.linear_2.weight') as string,
    });
  });
});

test('no read is longer than a block of rows, however large the tensor', async () => {
  const big = { name: 'x', shape: [40_000, 128], values: new Float32Array(40_000 * 128) };
  expect(safetensors([big]).length).toBeGreaterThan(20_000_000);
  const lengths: number[] = [];
  const watching = watched(memoryCheckpoint({ big: safetensors([big]) }), (_, __, length) =>
    lengths.push(length),
  );
  const signal = new AbortController().signal;
  const source = (await watching.open('big', signal))!;
  const matrix = wholeMatrix((await readDirectory(source, signal)).get('x')!);
  for (const batch of planShards([weight('x', matrix, { as: 'rows', type: 'float32' })])) {
    await fillShards(batch, new FillMemory(), signal, () => undefined);
  }
  expect(Math.max(...lengths)).toBeLessThanOrEqual(4 * 2 ** 20);
});
