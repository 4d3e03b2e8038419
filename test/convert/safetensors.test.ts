import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDirectory, readTensors } from '../../src/convert/safetensors.ts';
import { isAsrError } from '../../src/errors.ts';
import { memoryCheckpoint, memorySource, utf8, withHeader } from '../fixtures/memory-checkpoint.ts';

const signal = new AbortController().signal;

function read(bytes: Uint8Array): ReturnType<typeof readDirectory> {
  return readDirectory(memorySource('model.safetensors', bytes), signal);
}

function header(entries: object, dataBytes = 0): Uint8Array {
  return withHeader(JSON.stringify(entries), [new Uint8Array(dataBytes)]);
}

/** A header length and whatever follows it. */
function claiming(headerBytes: bigint, rest: Uint8Array): Uint8Array {
  const file = new Uint8Array(8 + rest.length);
  new DataView(file.buffer).setBigUint64(0, headerBytes, true);
  file.set(rest, 8);
  return file;
}

const a = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };

test('finds every tensor with its type, shape and place', async () => {
  const file = header(
    { __metadata__: { format: 'pt' }, a, b: { dtype: 'BF16', shape: [3, 1], data_offsets: [8, 14] } },
    14,
  );
  const tensors = await read(file);
  expect([...tensors.keys()]).toEqual(['a', 'b']);
  expect(tensors.get('b')).toMatchObject({ type: 'BF16', shape: [3, 1], bytes: 6, offset: file.length - 6 });
});

test('does not depend on the order of the header', async () => {
  const b = { dtype: 'U8', shape: [4], data_offsets: [8, 12] };
  expect([...(await read(header({ b, a }, 12))).keys()]).toEqual(['a', 'b']);
});

describe('refuses as malformed', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /only 0 bytes/],
    ['a file that ends within the length', new Uint8Array(5), /only 5 bytes/],
    ['a header longer than the file', claiming(100n, utf8('{}')), /ends within its header/],
    ['a header of ten megabytes and more', claiming(10_000_001n, utf8('{}')), /claims a header/],
    ['a header length beyond all numbers', claiming(2n ** 64n - 1n, utf8('{}')), /claims a header/],
    ['a web page', utf8('<!doctype html><title>404</title>'.padEnd(200)), /claims a header/],
    ['a header that is not JSON', withHeader('{"a":', []), /not JSON/],
    ['a header that is not UTF-8', claiming(4n, Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)), /not JSON/],
    ['a header that is a list', withHeader('[]', []), /not an object/],
    ['a tensor that is no object', header({ a: 1 }), /not an object/],
    [
      'a tensor described twice',
      withHeader(`{"a":${JSON.stringify(a)},"\\u0061":${JSON.stringify(a)}}`, [new Uint8Array(8)]),
      /a twice/,
    ],
    ['an unknown type', header({ a: { ...a, dtype: 'Q3' } }, 8), /unknown type/],
    ['a type that is a name of Object', header({ a: { ...a, dtype: 'constructor' } }, 8), /unknown type/],
    ['a size below zero', header({ a: { ...a, shape: [-2] } }, 8), /shape/],
    ['a size that is no integer', header({ a: { ...a, shape: [1.5] } }, 8), /whole numbers/],
    ['more dimensions than any tensor has', header({ a: { ...a, shape: Array(99).fill(1) } }, 8), /shape/],
    [
      'a product of sizes that overflows',
      header({ a: { ...a, shape: [2 ** 53 - 1, 2 ** 53 - 1] } }, 8),
      /should have/,
    ],
    ['a byte count that does not fit the shape', header({ a: { ...a, shape: [3] } }, 8), /12 bytes, has 8/],
    ['offsets in the wrong order', header({ a: { ...a, data_offsets: [8, 0] } }, 8), /data_offsets/],
    ['offsets below zero', header({ a: { ...a, data_offsets: [-8, 0] } }, 8), /data_offsets/],
    ['three offsets', header({ a: { ...a, data_offsets: [0, 8, 8] } }, 8), /data_offsets/],
    ['tensors that overlap', header({ a, b: { ...a, data_offsets: [4, 12] } }, 12), /overlaps/],
    ['a gap between tensors', header({ a, b: { ...a, data_offsets: [9, 17] } }, 17), /gap/],
    ['a gap before the first', header({ a: { ...a, data_offsets: [1, 9] } }, 9), /gap/],
    ['a file that is cut off', header({ a }, 7), /should have/],
    ['bytes behind the last tensor', header({ a }, 9), /1 bytes more/],
  ])('%s', async (_, file, message) => {
    await expect(read(file)).rejects.toMatchObject({
      code: 'checkpoint-malformed',
      message: expect.stringMatching(message) as string,
    });
  });
});

test('any damage to a good file is told as such, never as a bug', async () => {
  const good = header({ a, b: { dtype: 'F16', shape: [2, 2], data_offsets: [8, 16] } }, 16);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(good.length),
      async (changes, length) => {
        const damaged = good.slice(0, length);
        for (const [at, byte] of changes) damaged[at % Math.max(1, length)] = byte;
        try {
          await read(damaged);
        } catch (error) {
          expect(isAsrError(error) && error.code, String(error)).toBe('checkpoint-malformed');
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe('several parts', () => {
  const part = header({ a }, 8);
  const index = (map: object): Record<string, object | Uint8Array> => ({
    'model.safetensors.index.json': { weight_map: map },
    'one.safetensors': part,
    'two.safetensors': header({ b: a }, 8),
  });

  test('are read as one directory', async () => {
    const files = memoryCheckpoint(index({ a: 'one.safetensors', b: 'two.safetensors' }));
    const tensors = await readTensors(files, signal);
    expect([...tensors.values()].map(({ name, source }) => [name, source.name])).toEqual([
      ['a', 'one.safetensors'],
      ['b', 'two.safetensors'],
    ]);
  });

  test.each<[string, object, string, RegExp]>([
    ['a part that is missing', { a: 'three.safetensors' }, 'checkpoint-not-found', /three/],
    ['a part outside the folder', { a: '../one.safetensors' }, 'checkpoint-malformed', /plain file name/],
    [
      'a tensor that its part does not hold',
      { a: 'one.safetensors', c: 'one.safetensors' },
      'checkpoint-malformed',
      /expects c/,
    ],
    [
      'a tensor that the index does not know',
      { c: 'one.safetensors' },
      'checkpoint-malformed',
      /does not expect a/,
    ],
  ])('%s is told', async (_, map, code, message) => {
    await expect(readTensors(memoryCheckpoint(index(map)), signal)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  test('neither file nor index is told', async () => {
    await expect(readTensors(memoryCheckpoint({}), signal)).rejects.toMatchObject({
      code: 'checkpoint-not-found',
    });
  });
});
