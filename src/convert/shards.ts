// Which weight lies where in which shard. Planned from sizes alone, before any weight is read: a shard's
// content depends on nothing but its plan and the checkpoint. So an interrupted conversion goes on with the
// shards that are missing, and several workers may fill different ones.

import { assert } from '../errors.ts';
import { type Matrix, storedBytesPerRow } from './matrix.ts';
import { partBytes, type Weight } from './weights.ts';

/** Small enough to fetch again when one is damaged and for any browser to hold; large enough to be few. */
export const MAX_SHARD_BYTES = 64 * 2 ** 20;

/** No weight is larger, so that each fits into a shard behind its alignment. */
export const MAX_WEIGHT_BYTES = MAX_SHARD_BYTES - 2 ** 16;

/** Shards that are filled side by side where one matrix fills several: what bounds the converter's memory. */
const MAX_OPEN_SHARDS = 3;

/** Large parts start on a page, so that a runtime can map them; small ones on a cache line. */
const PAGE_BYTES = 4096;
const LINE_BYTES = 64;
const LARGE_BYTES = 2 ** 20;

/** A weight and where in its shard each of its parts starts. */
export interface Slot {
  readonly weight: Weight;
  readonly offsets: readonly number[];
}

export interface ShardPlan {
  readonly bytes: number;
  readonly slots: readonly Slot[];
}

/** One reading of a matrix, for all the weights that are made of it. */
export interface Pass {
  readonly matrix: Matrix;
  /** `shard` counts within the batch. */
  readonly slots: readonly { readonly slot: Slot; readonly shard: number }[];
}

/** Shards that are filled together: nearly always one. */
export interface Batch {
  readonly shards: readonly ShardPlan[];
  readonly passes: readonly Pass[];
}

/** What filling a batch reads from the checkpoint. */
export function batchStoredBytes({ passes }: Batch): number {
  return passes.reduce((sum, { matrix }) => sum + matrix.rows * storedBytesPerRow(matrix), 0);
}

/** Lays weights out in shards, in the order in which the checkpoint's files hold them. */
export function planShards(weights: readonly Weight[], maxBytes = MAX_SHARD_BYTES): Batch[] {
  const batches: Batch[] = [];
  let shard = new OpenShard();
  let passes: Pass[] = [];
  const close = (): void => {
    if (passes.length > 0) batches.push({ shards: [shard.plan()], passes });
    shard = new OpenShard();
    passes = [];
  };
  for (const group of groupByMatrix(weights)) {
    if (!shard.fits(group.weights, maxBytes)) close();
    if (shard.fits(group.weights, maxBytes)) {
      const slots = group.weights.map((weight) => ({ slot: shard.place(weight), shard: 0 }));
      passes.push({ matrix: group.matrix, slots });
    } else {
      batches.push(...severalShards(group, maxBytes));
    }
  }
  close();
  return batches;
}

/**
 * Batches by where in the files what they read begins: a source that comes over a network is then read nearly
 * from its beginning to its end.
 */
export function inFileOrder(batches: readonly Batch[]): Batch[] {
  const placed = batches.map((batch) => {
    const places = batch.passes.map(({ matrix }) => position(matrix)).filter(([file]) => file !== '');
    return { batch, at: places.sort(comparePositions)[0] ?? ['', 0] };
  });
  return placed.sort((a, b) => comparePositions(a.at, b.at)).map(({ batch }) => batch);
}

/** A matrix too large for one shard: a shard for each of its weights, a few at a time. */
function severalShards({ matrix, weights }: Group, maxBytes: number): Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < weights.length; from += MAX_OPEN_SHARDS) {
    const shards: ShardPlan[] = [];
    const slots = weights.slice(from, from + MAX_OPEN_SHARDS).map((weight, i) => {
      const shard = new OpenShard();
      assert(shard.fits([weight], maxBytes), `${weight.name} fits into a shard`);
      const slot = shard.place(weight);
      shards.push(shard.plan());
      return { slot, shard: i };
    });
    batches.push({ shards, passes: [{ matrix, slots }] });
  }
  return batches;
}

/** A shard while weights are laid into it. */
class OpenShard {
  #bytes = 0;
  readonly #slots: Slot[] = [];

  fits(weights: readonly Weight[], maxBytes: number): boolean {
    return weights.reduce((end, weight) => layOut(weight, end).end, this.#bytes) <= maxBytes;
  }

  place(weight: Weight): Slot {
    const { offsets, end } = layOut(weight, this.#bytes);
    const slot = { weight, offsets };
    this.#slots.push(slot);
    this.#bytes = end;
    return slot;
  }

  plan(): ShardPlan {
    return { bytes: this.#bytes, slots: this.#slots };
  }
}

function layOut(weight: Weight, from: number): { offsets: number[]; end: number } {
  let end = from;
  const offsets = weight.parts.map((part) => {
    const bytes = partBytes(part);
    const alignment = bytes >= LARGE_BYTES ? PAGE_BYTES : LINE_BYTES;
    const offset = alignment * Math.ceil(end / alignment);
    end = offset + bytes;
    return offset;
  });
  return { offsets, end };
}

interface Group {
  readonly matrix: Matrix;
  readonly weights: Weight[];
}

/** Weights made of one matrix belong together; groups in the order of the files. Each name once. */
function groupByMatrix(weights: readonly Weight[]): Group[] {
  const named = new Map(weights.map((weight) => [weight.name, weight]));
  const groups = new Map<Matrix, Group>();
  for (const weight of named.values()) {
    const group = groups.get(weight.matrix);
    if (group === undefined) groups.set(weight.matrix, { matrix: weight.matrix, weights: [weight] });
    else group.weights.push(weight);
  }
  return [...groups.values()].sort((a, b) => comparePositions(position(a.matrix), position(b.matrix)));
}

type Position = readonly [file: string, offset: number];

function comparePositions([fileA, offsetA]: Position, [fileB, offsetB]: Position): number {
  return fileA < fileB ? -1 : fileA > fileB ? 1 : offsetA - offsetB;
}

/** Where a matrix begins in the checkpoint; computed ones stand before everything. */
function position(matrix: Matrix): Position {
  if (matrix.kind === 'computed') return ['', 0];
  const tensors = matrix.rowRuns.flatMap(({ tensor }) => (tensor ? [tensor] : []));
  const first = tensors.reduce((a, b) => (b.source.name < a.source.name || b.offset < a.offset ? b : a));
  return [first.source.name, first.offset];
}
