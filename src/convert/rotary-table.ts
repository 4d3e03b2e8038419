// Cosines and sines of rotary positions, rounded where the reference rounds.

import type { ComputedMatrix } from './matrix.ts';

/**
 * [positions, columns]: angle = position · θ^(−2i/dims) for column i; columns past the rotated ones stand still.
 *
 * The reference computes frequency and angle in float32; at position 8000 that alone moves the angle by 5·10⁻⁴,
 * so the roundings are part of the recipe.
 */
export function rotaryMatrix(
  wave: 'cos' | 'sin',
  positions: number,
  dims: number,
  theta: number,
  columns = Math.ceil(dims / 2),
): ComputedMatrix {
  const frequencies = Array.from({ length: Math.ceil(dims / 2) }, (_, i) =>
    Math.fround(1 / Math.fround(theta ** Math.fround((2 * i) / dims))),
  );
  return {
    kind: 'computed',
    rows: positions,
    columns,
    formula: `${wave} ${positions}×${columns} of ${dims} dims, theta ${theta}`,
    at: (position, column) => Math[wave](Math.fround(position * (frequencies[column] ?? 0))),
  };
}
