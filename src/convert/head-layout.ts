// Attention heads in the shape that kernels take: padded with channels of zeros, and every query head
// with a key/value head of its own where the kernel knows no groups.
//
// Zeros change nothing: they add nothing to q·k, and the output projection multiplies them by zeros.

import type { ColumnRun } from './matrix.ts';

/** GroupQueryAttention with rotary positions takes heads of 16·n channels, halves of 8·n. */
const HALF_MULTIPLE = 8;

/** Head width that GroupQueryAttention takes for `headDim` channels. */
export function paddedHeadDim(headDim: number): number {
  return 2 * HALF_MULTIPLE * Math.ceil(headDim / 2 / HALF_MULTIPLE);
}

/**
 * Rows (or columns) of `heads` heads, each half of `headDim` padded by itself, because rotary positions pair
 * channel i of the first half with channel i of the second. undefined where nothing needs to move.
 *
 *   [a₀ … a₄ b₀ … b₄]  →  [a₀ … a₄ 0 0 0 b₀ … b₄ 0 0 0]
 */
export function paddedHeads(heads: number, headDim: number, padded: number): ColumnRun[] | undefined {
  if (padded === headDim) return undefined;
  const half = headDim / 2;
  const zeros = { count: (padded - headDim) / 2 };
  return Array.from({ length: heads }, (_, head) => [
    { start: head * headDim, count: half },
    zeros,
    { start: head * headDim + half, count: half },
    zeros,
  ]).flat();
}

/** Rows of `kvHeads` heads, each repeated for the query heads that share it. undefined where each has its own. */
export function repeatedHeads(heads: number, kvHeads: number, headDim: number): ColumnRun[] | undefined {
  if (heads === kvHeads) return undefined;
  const group = heads / kvHeads;
  return Array.from({ length: heads }, (_, head) => ({
    start: Math.floor(head / group) * headDim,
    count: headDim,
  }));
}
