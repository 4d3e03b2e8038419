import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ByteCursor, memorySource } from '../../../src/platform/media/byte-source.ts';
import { nextOggPage, OggPackets, type OggPage } from '../../../src/platform/media/ogg-pages.ts';
import type { Damage } from '../../../src/platform/media/pcm.ts';

const SOUNDS = resolve(import.meta.dirname, '../../fixtures/sounds');
const clip = (file: string): Uint8Array => new Uint8Array(readFileSync(resolve(SOUNDS, file)));

async function pagesOf(bytes: Uint8Array): Promise<{ pages: OggPage[]; cut: boolean; damage: Damage }> {
  const cursor = new ByteCursor(memorySource(bytes), 0);
  const damage: Damage = { places: 0, first: undefined };
  const pages: OggPage[] = [];
  for (;;) {
    const next = await nextOggPage(cursor, damage);
    if (!('page' in next)) return { pages, cut: next.cut, damage };
    pages.push(next.page);
  }
}

test('pages come with their checksums right, first and last marked', async () => {
  const { pages, cut, damage } = await pagesOf(clip('opus.opus'));
  expect(damage.places).toBe(0);
  expect(cut).toBe(false);
  expect(pages[0]!.starts).toBe(true);
  expect(pages.at(-1)!.ends).toBe(true);
  expect(pages.map((page) => page.sequence)).toEqual(pages.map((_, i) => i));
});

test('a page that the file cuts off is told', async () => {
  const bytes = clip('opus.opus');
  const whole = await pagesOf(bytes);
  const { pages, cut } = await pagesOf(bytes.subarray(0, bytes.length - 1));
  expect(cut).toBe(true);
  expect(pages).toHaveLength(whole.pages.length - 1);
});

test('one wrong bit costs its page, and is told', async () => {
  const bytes = clip('vorbis.ogg').slice();
  const whole = await pagesOf(bytes);
  bytes[bytes.length - 10]! ^= 4;
  const { pages, damage } = await pagesOf(bytes);
  expect(pages).toHaveLength(whole.pages.length - 1);
  expect(damage.first).toMatch(/^byte \d+: an Ogg page with a wrong checksum$/);
});

const page = (sequence: number, segments: number[][], open = false, continued = false): OggPage => ({
  serial: 1,
  sequence,
  granule: 0,
  starts: false,
  ends: false,
  continued,
  open,
  segments: segments.map((bytes) => Uint8Array.from(bytes)),
});
const lists = (packets: Uint8Array[]): number[][] => packets.map((packet) => [...packet]);

test('packets are put together across pages', () => {
  const packets = new OggPackets();
  const damage: Damage = { places: 0, first: undefined };
  expect(lists(packets.take(page(0, [[1], [2, 3]], true), damage))).toEqual([[1]]);
  expect(lists(packets.take(page(1, [[4]], true, true), damage))).toEqual([]);
  expect(lists(packets.take(page(2, [[5], [6]], false, true), damage))).toEqual([[2, 3, 4, 5], [6]]);
  expect(damage.places).toBe(0);
});

test('a missing page costs the packet that was under way, and no other', () => {
  const packets = new OggPackets();
  const damage: Damage = { places: 0, first: undefined };
  packets.take(page(0, [[1], [2]], true), damage);
  expect(lists(packets.take(page(2, [[9], [7]], false, true), damage))).toEqual([[7]]);
  expect(damage.first).toBe('Ogg page 2 follows page 0: pages are missing');
});
