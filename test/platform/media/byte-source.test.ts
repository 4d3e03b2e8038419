import { expect, test } from 'vitest';
import { ByteCursor, ForwardSource, memorySource } from '../../../src/platform/media/byte-source.ts';

const numbered = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i % 251);

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    yield await Promise.resolve(bytes.subarray(at, at + pieceBytes));
  }
}

test('a forward source gives the bytes that were asked for, whatever pieces they came in', async () => {
  const bytes = numbered(5000);
  for (const pieceBytes of [1, 13, 4096, 9000]) {
    const source = new ForwardSource(inPieces(bytes, pieceBytes));
    expect(await source.read(0, 10)).toEqual(bytes.subarray(0, 10));
    expect(await source.read(2000, 700)).toEqual(bytes.subarray(2000, 2700));
    expect(await source.read(100, 50)).toEqual(bytes.subarray(100, 150));
    expect(await source.read(4990, 100)).toEqual(bytes.subarray(4990));
    expect(await source.read(6000, 100)).toHaveLength(0);
  }
});

test('a forward source pulls no more than it is asked for', async () => {
  let pulled = 0;
  const endless = (async function* () {
    for (;;) yield await Promise.resolve(new Uint8Array(1000).fill(pulled++));
  })();
  const source = new ForwardSource(endless);
  await source.read(0, 2500);
  expect(pulled).toBe(3);
});

test('a forward source forgets what lies far behind', async () => {
  const source = new ForwardSource(inPieces(numbered(3_000_000), 100_000));
  await source.read(0, 10);
  await source.read(2_500_000, 10);
  await expect(source.read(0, 10)).rejects.toThrow('not asked for bytes long past');
  expect(await source.read(2_400_000, 1)).toHaveLength(1);
});

test('a cursor widens its view, moves on and knows the end', async () => {
  const bytes = numbered(200_000);
  const cursor = new ByteCursor(memorySource(bytes), 5);
  expect(await cursor.need(10)).toBe(true);
  expect(cursor.bytes[0]).toBe(bytes[5]);
  cursor.skip(100_000); // beyond what is in view
  expect(await cursor.need(1)).toBe(true);
  expect(cursor.bytes[0]).toBe(bytes[100_005]);
  expect(await cursor.need(200_000)).toBe(false);
  expect(cursor.atEnd).toBe(true);
  expect(cursor.bytes).toEqual(bytes.subarray(100_005));
  cursor.skip(cursor.bytes.length);
  expect(await cursor.need(1)).toBe(false);
});
