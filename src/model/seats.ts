// Sequences of different askers side by side in one decoder: they come and go, the decoder steps them
// all in one run.

import { assert } from '../errors.ts';
import type { Runtime, Tensor } from '../ports.ts';
import type { Decoder } from './decoder.ts';
import {
  type CacheFeeds,
  type DecoderRuns,
  type Prediction,
  type Sequence,
  prefillPlan,
  sequenceLength,
} from './decoder-runs.ts';
import type { AudioEmbeds } from './encoder.ts';
import { pastKey, pastValue, presentKey, presentValue } from './graph-io.ts';
import type { CacheShape } from './kv-cache.ts';

export interface Seats {
  /** Sequences that may be seated now. */
  readonly free: number;
  /** Windows whose sequences are best seated together. */
  readonly windowsAtOnce: number;
  /** Seats sequences behind those that sit, and predicts the first id of each. */
  admit(sequences: readonly Sequence[], audio: AudioEmbeds, newTokens: number): Promise<Prediction[]>;
  /** Appends an id to each seated sequence (`null`: it has ended) and predicts the next ones. */
  step(ids: readonly (number | null)[]): Promise<Prediction[]>;
  /**
   * The sequence at `seat` is over. `closed`: the row is one shorter, the last sequence sits at `seat` now
   * (if it was not this one). `empty`: the seat stays, with nobody on it.
   */
  leave(seat: number): 'closed' | 'empty';
}

/**
 * For devices whose cache this side cannot rearrange: a batch is seated together when the last one has
 * left, and whoever ends early keeps the seat.
 */
export class WaveSeats implements Seats {
  readonly #decoder: Decoder;
  readonly #seats: number;
  #seated = 0;
  #left = 0;
  readonly windowsAtOnce = 4;

  constructor(decoder: Decoder, seats: number) {
    this.#decoder = decoder;
    this.#seats = seats;
  }

  get free(): number {
    return this.#seated === 0 ? this.#seats : 0;
  }

  async admit(sequences: readonly Sequence[], audio: AudioEmbeds, newTokens: number): Promise<Prediction[]> {
    assert(this.#seated === 0, 'a wave begins when the last one is over');
    this.#seated = sequences.length;
    this.#left = 0;
    return this.#decoder.prefill(sequences, audio, newTokens);
  }

  step(ids: readonly (number | null)[]): Promise<Prediction[]> {
    return this.#decoder.step(ids);
  }

  leave(): 'empty' {
    if (++this.#left === this.#seated) this.#seated = 0;
    return 'empty';
  }
}

/** Buffers come in multiples of this many positions. */
const CAPACITY_STEP = 128;

/**
 * For the CPU, where past and present are one buffer in ordinary memory: a seat is a row of it, so a
 * sequence joins while others are under way, and the last one moves up when one leaves.
 */
export class RowSeats implements Seats {
  readonly #runtime: Runtime;
  readonly #runs: DecoderRuns;
  readonly #shape: CacheShape;
  readonly #seats: number;
  /** [seats, kvHeads, capacity, headDim], by the name of the past input. */
  #rows = new Map<string, Float32Array>();
  #capacity = 0;
  #lengths: number[] = [];
  readonly windowsAtOnce = 1;

  constructor(runtime: Runtime, runs: DecoderRuns, shape: CacheShape, seats: number) {
    assert(
      runtime.cache === 'shared' && runtime.provider === 'cpu',
      'rows are rearranged in ordinary memory',
    );
    this.#runtime = runtime;
    this.#runs = runs;
    this.#shape = shape;
    this.#seats = seats;
  }

  get free(): number {
    return this.#seats - this.#lengths.length;
  }

  async admit(sequences: readonly Sequence[], audio: AudioEmbeds, newTokens: number): Promise<Prediction[]> {
    assert(sequences.length <= this.free, 'there are seats for all');
    const from = this.#lengths.length;
    const plan = prefillPlan(sequences);
    this.#makeRoom(Math.max(...sequences.map(sequenceLength)) + newTokens);
    const { predictions } = await this.#runs.prefill(plan, audio.tensor, this.#view(from, sequences.length));
    this.#lengths.push(...plan.lengths);
    return predictions;
  }

  async step(ids: readonly (number | null)[]): Promise<Prediction[]> {
    const { predictions, lengths } = await this.#runs.step(ids, this.#lengths, this.#view(0, ids.length));
    this.#lengths = [...lengths];
    return predictions;
  }

  leave(seat: number): 'closed' {
    const last = this.#lengths.length - 1;
    const length = this.#lengths.pop();
    assert(length !== undefined && seat <= last, 'who leaves had a seat');
    if (seat === last) return 'closed';
    const size = this.#rowSize(this.#capacity);
    for (const rows of this.#rows.values()) rows.copyWithin(seat * size, last * size, (last + 1) * size);
    this.#lengths[seat] = length;
    return 'closed';
  }

  #rowSize(capacity: number): number {
    return this.#shape.kvHeads * capacity * this.#shape.headDim;
  }

  /** Rows [from, from + count) as the cache of one run. */
  #view(from: number, count: number): CacheFeeds {
    const size = this.#rowSize(this.#capacity);
    const dims = [count, this.#shape.kvHeads, this.#capacity, this.#shape.headDim];
    const past: Record<string, Tensor> = {};
    const into: Record<string, Tensor> = {};
    const presentNames: string[] = [];
    for (const [name, present] of this.#names()) {
      const rows = this.#rows.get(name);
      assert(rows !== undefined, `there are rows of ${name}`);
      const tensor = this.#runtime.tensor('float32', rows.subarray(from * size, (from + count) * size), dims);
      past[name] = tensor;
      into[present] = tensor;
      presentNames.push(present);
    }
    return { past, presentNames, into };
  }

  /** Lets every row hold `positions`; what the rows hold is kept. */
  #makeRoom(positions: number): void {
    if (positions <= this.#capacity) return;
    const capacity = Math.ceil(positions / CAPACITY_STEP) * CAPACITY_STEP;
    for (const [name] of this.#names()) {
      const wider = new Float32Array(this.#seats * this.#rowSize(capacity));
      this.#copyHeads(this.#rows.get(name), this.#capacity, wider, capacity);
      this.#rows.set(name, wider);
    }
    this.#capacity = capacity;
  }

  #copyHeads(
    from: Float32Array | undefined,
    fromCapacity: number,
    to: Float32Array,
    toCapacity: number,
  ): void {
    if (from === undefined) return;
    const { kvHeads, headDim } = this.#shape;
    for (let head = 0; head < this.#lengths.length * kvHeads; head++) {
      const start = head * fromCapacity * headDim;
      to.set(from.subarray(start, start + fromCapacity * headDim), head * toCapacity * headDim);
    }
  }

  #names(): [past: string, present: string][] {
    return Array.from({ length: this.#shape.layers }, (_, i): [string, string][] => [
      [pastKey(i), presentKey(i)],
      [pastValue(i), presentValue(i)],
    ]).flat();
  }
}
