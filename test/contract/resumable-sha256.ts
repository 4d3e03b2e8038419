// What every running hash that outlives the program promises, wherever it computes.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinBytes } from '../../src/bytes.ts';
import { sha256 } from '../../src/convert/hash.ts';
import type { StartSha256 } from '../../src/platform/pull/resumable-sha256.ts';

const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });

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
          expect(await second.hex()).toBe(await sha256(joinBytes([...before, ...after])));
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
      expect(await hash.hex()).toBe(await sha256(joinBytes([piece, piece])));
      hash.release();
    });

    test('does not start from what is no state of a hash', async () => {
      await expect(start(new Uint8Array(10))).rejects.toThrow();
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
      expect(await hash.hex()).toBe(await sha256(joinBytes(told)));
      hash.release();
    });
  });
}
