// What a shard's bytes depend on, as one hash: an interrupted conversion recognises by it what it has made already.

import { sha256 } from './hash.ts';
import type { Matrix } from './matrix.ts';
import type { ShardPlan } from './shards.ts';

/** Raise when the same plan gives other bytes than before. */
const FORMATS_VERSION = 1;

/** undefined when a source cannot say which version of its content it holds: nothing is then recognised. */
export async function planKey({ bytes, slots }: ShardPlan): Promise<string | undefined> {
  const described = slots.map(({ weight, offsets }) => ({
    ...{ offsets, name: weight.name, encoding: weight.encoding },
    ...{ firstColumn: weight.firstColumn, columns: weight.columns },
    matrix: describe(weight.matrix),
  }));
  if (described.some(({ matrix }) => matrix === undefined)) return undefined;
  const text = JSON.stringify([FORMATS_VERSION, bytes, described]);
  return sha256(new Uint8Array(new TextEncoder().encode(text)));
}

function describe(matrix: Matrix): unknown {
  if (matrix.kind === 'computed') return matrix.formula;
  const runs = matrix.rowRuns.map(({ tensor, start, count }) =>
    tensor === undefined
      ? [count]
      : [tensor.source.version, tensor.source.name, tensor.offset, tensor.type, tensor.shape, start, count],
  );
  if (runs.some(([version]) => version === undefined)) return undefined;
  return [runs, matrix.columnRuns];
}
