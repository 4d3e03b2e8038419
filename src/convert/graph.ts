// A graph under construction. Values know their type and shape; scopes give every node a name that is its
// address: layers.3/mlp/down_proj/MatMulNBits.

import { assert } from '../errors.ts';
import {
  type Attribute,
  type Dim,
  elementBytes,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValue,
} from './onnx.ts';
import { type Weight, type WeightPart } from './weights.ts';

/** Something a node makes or takes: a tensor that exists when the graph runs. */
export type Value = OnnxValue;

/** Where a part's bytes came to lie. */
export interface Place {
  readonly location: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface NodeOptions {
  readonly domain?: 'com.microsoft';
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** What is known of an operator's result before it has a name. */
export interface ResultSpec {
  readonly type: OnnxType;
  readonly shape: readonly Dim[];
}

/** A constant whose bytes will lie in a shard, seen under some dims. */
interface ShardedConstant {
  readonly value: Value;
  readonly part: WeightPart;
}

interface State {
  readonly name: string;
  readonly nodes: OnnxNode[];
  readonly nodeNames: Map<string, number>;
  readonly inputs: Value[];
  /** By the name inside the graph. */
  readonly outputs: Map<string, Value>;
  readonly inline: Map<string, OnnxTensor>;
  readonly sharded: Map<string, ShardedConstant>;
  readonly weights: Map<string, Weight>;
  readonly remembered: Map<string, Value>;
}

export class Graph {
  readonly #state: State;
  readonly #path: string;

  constructor(name: string);
  constructor(name: string, state: State, path: string);
  constructor(name: string, state?: State, path = '') {
    this.#path = path;
    this.#state = state ?? {
      name,
      nodes: [],
      nodeNames: new Map(),
      inputs: [],
      outputs: new Map(),
      inline: new Map(),
      sharded: new Map(),
      weights: new Map(),
      remembered: new Map(),
    };
  }

  /** Builds a part of the graph whose node names start with `name`. */
  scope<T>(name: string, build: (g: Graph) => T): T {
    return build(new Graph(this.#state.name, this.#state, `${this.#path}${name}/`));
  }

  input(name: string, type: OnnxType, shape: readonly Dim[]): Value {
    const value = { name, type, shape };
    this.#state.inputs.push(value);
    return value;
  }

  /** Makes a value an output of the graph under a name for the outside. */
  output(value: Value, name: string): void {
    assert(!this.#state.outputs.has(value.name), `${value.name} is an output once`);
    this.#state.outputs.set(value.name, { ...value, name });
  }

  /** Adds a node and returns its results; '' in `results` leaves an optional one out. */
  nodes(
    op: string,
    inputs: readonly (Value | undefined)[],
    results: readonly (ResultSpec | undefined)[],
    { domain, attributes = {} }: NodeOptions = {},
  ): Value[] {
    const name = this.#nodeName(op);
    const values = results.map((spec, i) =>
      spec === undefined ? undefined : { type: spec.type, shape: spec.shape, name: `${name}:${i}` },
    );
    this.#state.nodes.push({
      name,
      op,
      domain: domain ?? '',
      inputs: inputs.map((input) => input?.name ?? ''),
      outputs: values.map((value) => value?.name ?? ''),
      attributes,
    });
    return values.filter((value) => value !== undefined);
  }

  /** Adds a node with one result. */
  node(
    op: string,
    inputs: readonly (Value | undefined)[],
    result: ResultSpec,
    options: NodeOptions = {},
  ): Value {
    const [value] = this.nodes(op, inputs, [result], options);
    assert(value !== undefined, 'one result was asked for');
    return value;
  }

  /** The constants that a weight's parts are, in their order. */
  weight(weight: Weight): Value[] {
    this.#state.weights.set(weight.name, weight);
    return weight.parts.map((part) => this.part(part, part.dims));
  }

  /** A part of a weight seen under other dims of the same size; its bytes lie in the shards once. */
  part(part: WeightPart, dims: readonly number[]): Value {
    const same = String(dims) === String(part.dims);
    const name = same ? part.name : `${part.name}[${dims.join(',')}]`;
    const value = { name, type: part.type, shape: dims };
    this.#state.sharded.set(name, { value, part });
    return value;
  }

  /** A small constant inside the graph file, named after its content. */
  constant(
    type: 'int64' | 'int32' | 'float32' | 'uint8',
    numbers: readonly number[],
    dims?: readonly number[],
  ): Value {
    const shape = dims ?? [numbers.length];
    const name = `${type}[${shape.join(',')}]{${numbers.join(',')}}`;
    this.#state.inline.set(name, { name, type, dims: shape, data: constantBytes(type, numbers) });
    return { name, type, shape };
  }

  /** The value that was made under this key before, or the one that `make` makes now. */
  once(key: string, make: () => Value): Value {
    const known = this.#state.remembered.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#state.remembered.set(key, made);
    return made;
  }

  /** All weights that the graph refers to. */
  get weights(): readonly Weight[] {
    return [...this.#state.weights.values()];
  }

  /** The finished graph, given where each weight part came to lie. */
  finish(placeOf: (part: WeightPart) => Place): OnnxGraph {
    const { name, inputs, outputs, inline, sharded } = this.#state;
    const outside = (value: string): string => outputs.get(value)?.name ?? value;
    const nodes = this.#state.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(outside),
      outputs: node.outputs.map(outside),
    }));
    const constants = [...sharded.values()].map(({ value, part }): OnnxTensor => ({
      name: value.name,
      type: value.type,
      dims: value.shape.map(Number),
      data: placeOf(part),
    }));
    const initializers = [...inline.values(), ...constants];
    return { name, nodes, initializers, inputs, outputs: [...outputs.values()] };
  }

  #nodeName(op: string): string {
    const base = `${this.#path}${op}`;
    const used = this.#state.nodeNames.get(base) ?? 0;
    this.#state.nodeNames.set(base, used + 1);
    return used === 0 ? base : `${base}.${used}`;
  }
}

function constantBytes(type: OnnxType, numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * elementBytes(type));
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => {
    if (type === 'int64') view.setBigInt64(8 * i, BigInt(number), true);
    else if (type === 'int32') view.setInt32(4 * i, number, true);
    else if (type === 'float32') view.setFloat32(4 * i, number, true);
    else view.setUint8(i, number);
  });
  return bytes;
}
