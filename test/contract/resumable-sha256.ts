// What every running hash that outlives the program promises, wherever it computes.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinBytes } from '../../src/bytes.ts';
import type { StartSha256 } from '../../src/platform/pull/resumable-sha256.ts';

const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });

async function plainHash(parts: readonly Uint8Array[]): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', joinBytes(parts));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function describeResumableSha256(where: string, start: StartSha256): void {
  describe(`a resumable SHA-256 ${where}`, () => {
    test('hashes whatever pieces it is given as the whole, put aside after any of them', async () => {
      await fc.assert(
        fc.asyncProperty(pieces, pieces, async (before, after) => {
          const first = await start();
          for (const piece of before) await first.update(piece);
          const state = await first.save();
          first.release();
          const second = await start(state);
          for (const piece of after) await second.update(piece);
          expect(await second.hex()).toBe(await plainHash([...before, ...after]));
          second.release();
        }),
        { numRuns: 8 },
      );
    });

    test('goes on behind a state that it gave away', async () => {
      const hash = await start();
      const piece = new Uint8Array(1000).fill(7);
      await hash.update(piece);
      await hash.save();
      await hash.update(piece);
      expect(await hash.hex()).toBe(await plainHash([piece, piece]));
      hash.release();
    });

    test('has taken the bytes when it returns: they may be overwritten', async () => {
      const hash = await start();
      const piece = new Uint8Array(1 << 20);
      const told: Uint8Array[] = [];
      for (let round = 0; round < 6; round++) {
        told.push(piece.fill(round).slice());
        await hash.update(piece);
      }
      piece.fill(255);
      expect(await hash.hex()).toBe(await plainHash(told));
      hash.release();
    });
  });
}
