// Keys and values of every position so far, one pair per decoder layer.
//
// How they live between runs is the runtime's business (`Runtime.cache`):
//   shared    one buffer of fixed length is past and present at once
//   fixed     a buffer of fixed length goes in, the returned one is the next past
//   growing   past has the length used so far, the returned one is the next past
//
// Rewinding needs nothing here: rows beyond the lengths that a run states are ignored and overwritten.
// Only this file may free past and present tensors.

import { assert } from '../errors.ts';
import type { Runtime, Tensor } from '../ports.ts';
import type { CacheFeeds } from './decoder-runs.ts';
import { pastKey, pastValue, presentKey, presentValue } from './graph-io.ts';

export interface CacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Buffers come in multiples of this many positions, so that a slightly longer clip reuses them. */
const CAPACITY_STEP = 128;

export class KvCache implements CacheFeeds {
  readonly #runtime: Runtime;
  readonly #shape: CacheShape;
  readonly #activation: 'float32' | 'float16';
  /** By the name of the past input. */
  #past = new Map<string, Tensor>();
  #rows = 0;
  #capacity = 0;

  constructor(runtime: Runtime, shape: CacheShape, activation: 'float32' | 'float16') {
    this.#runtime = runtime;
    this.#shape = shape;
    this.#activation = activation;
  }

  /** Names of the present outputs of a decoder with `layers` layers. */
  static presentNames(layers: number): string[] {
    return namesOf(layers).map(([, present]) => present);
  }

  get presentNames(): string[] {
    return KvCache.presentNames(this.#shape.layers);
  }

  /** Makes room for `rows` sequences of up to `positions` positions and forgets what was stored. */
  async reset(rows: number, positions: number): Promise<void> {
    const grows = this.#runtime.cache === 'growing';
    const fits = !grows && rows === this.#rows && positions <= this.#capacity;
    if (fits) return;
    this.dispose();
    this.#rows = rows;
    this.#capacity = grows ? 0 : Math.ceil(positions / CAPACITY_STEP) * CAPACITY_STEP;
    const dims = [rows, this.#shape.kvHeads, this.#capacity, this.#shape.headDim];
    for (const [past] of this.#names()) {
      this.#past.set(past, await this.#runtime.zeros(this.#activation, dims));
    }
  }

  /** By input name. */
  get past(): Record<string, Tensor> {
    assert(this.#past.size > 0, 'the cache has been reset before it is used');
    return Object.fromEntries(this.#past);
  }

  /** Tensors that the run should write present into; none unless the runtime shares them. */
  get into(): Record<string, Tensor> | undefined {
    if (this.#runtime.cache !== 'shared') return undefined;
    return Object.fromEntries(this.#names().map(([past, present]) => [present, this.#tensor(past)]));
  }

  /** Takes the present tensors out of a run's outputs; they are the next past. */
  accept(outputs: Readonly<Record<string, Tensor>>): void {
    if (this.#runtime.cache === 'shared') return;
    for (const [past, present] of this.#names()) {
      const next = outputs[present];
      assert(next !== undefined, `the run returned ${present}`);
      this.#tensor(past).dispose();
      this.#past.set(past, next);
    }
  }

  dispose(): void {
    for (const tensor of this.#past.values()) tensor.dispose();
    this.#past = new Map();
    this.#rows = 0;
    this.#capacity = 0;
  }

  #tensor(past: string): Tensor {
    const tensor = this.#past.get(past);
    assert(tensor !== undefined, `the cache holds ${past}`);
    return tensor;
  }

  #names(): [string, string][] {
    return namesOf(this.#shape.layers);
  }
}

/** [past input, present output] of every layer, keys and values. */
function namesOf(layers: number): [string, string][] {
  return Array.from({ length: layers }, (_, i): [string, string][] => [
    [pastKey(i), presentKey(i)],
    [pastValue(i), presentValue(i)],
  ]).flat();
}
