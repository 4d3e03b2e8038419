// The operators that our graphs are made of, typed: each function adds one node (or a few that belong
// together) and knows the shape that comes out. Contracts: ONNX opset 21 and ONNX Runtime's
// docs/ContribOperators.md; which of them work where is in MODEL.md, "Graphs".

import { assert } from '../errors.ts';
import type { Graph, NodeOptions, Value } from './graph.ts';
import { type Dim, type OnnxType, typeCode } from './onnx.ts';

const MICROSOFT = 'com.microsoft';

/** The same numbers in another type; the value itself when it has that type already. Made once per value and type. */
export function cast(g: Graph, x: Value, type: OnnxType): Value {
  if (x.type === type) return x;
  return g.once(`cast ${x.name} ${type}`, () =>
    g.node('Cast', [x], { type, shape: x.shape }, { attributes: { to: { int: typeCode(type) } } }),
  );
}

export function add(g: Graph, a: Value, b: Value): Value {
  return elementwise(g, 'Add', a, b);
}

export function mul(g: Graph, a: Value, b: Value): Value {
  return elementwise(g, 'Mul', a, b);
}

/** One of ONNX's broadcasting operators; the result has the shape of the larger operand, `a`. */
export function elementwise(g: Graph, op: 'Add' | 'Mul' | 'Sub' | 'Div' | 'Max', a: Value, b: Value): Value {
  return g.node(op, [a, b], { type: a.type, shape: a.shape });
}

/** An operator that leaves type and shape as they are. */
export function unary(
  g: Graph,
  op: 'Sigmoid' | 'Neg' | 'Abs' | 'Exp' | 'Log' | 'Gelu',
  x: Value,
  options: NodeOptions = {},
): Value {
  return g.node(op, [x], { type: x.type, shape: x.shape }, options);
}

/** x · Φ(x) with the error function, as the checkpoint was trained; not the tanh approximation. */
export function gelu(g: Graph, x: Value): Value {
  return unary(g, 'Gelu', x);
}

/** x · sigmoid(x). */
export function silu(g: Graph, x: Value): Value {
  return mul(g, x, unary(g, 'Sigmoid', x));
}

/** [W, in, T] → [W, out, T/stride], kernel 3, one frame of zeros on either side. */
export function conv(g: Graph, x: Value, weight: Value, bias: Value, stride: 1 | 2, frames: Dim): Value {
  const [windows = 'W'] = x.shape;
  const [out = 0] = weight.shape;
  return g.node(
    'Conv',
    [x, weight, bias],
    { type: x.type, shape: [windows, out, frames] },
    { attributes: { kernel_shape: { ints: [3] }, pads: { ints: [1, 1] }, strides: { ints: [stride] } } },
  );
}

/** Other sizes for the same numbers; at most one is −1 (the rest), named by `shape`. */
export function reshape(g: Graph, x: Value, sizes: readonly number[], shape: readonly Dim[]): Value {
  return g.node('Reshape', [x, g.constant('int64', sizes)], { type: x.type, shape });
}

export function transpose(g: Graph, x: Value, permutation: readonly number[]): Value {
  const shape = permutation.map((axis) => x.shape[axis] ?? 0);
  return g.node('Transpose', [x], { type: x.type, shape }, { attributes: { perm: { ints: permutation } } });
}

/** Side by side along the last axis. */
export function concatColumns(g: Graph, parts: readonly Value[]): Value {
  const [first, ...more] = parts;
  assert(first !== undefined, 'there is something to join');
  if (more.length === 0) return first;
  const columns = parts.reduce((sum, part) => sum + Number(part.shape.at(-1)), 0);
  const shape = [...first.shape.slice(0, -1), columns];
  return g.node('Concat', parts, { type: first.type, shape }, { attributes: { axis: { int: -1 } } });
}

/** One under the other along the first axis; `rows` names the sum. */
export function concatRows(g: Graph, parts: readonly Value[], rows: Dim): Value {
  const [first] = parts;
  assert(first !== undefined, 'there is something to join');
  const shape = [rows, ...first.shape.slice(1)];
  return g.node('Concat', parts, { type: first.type, shape }, { attributes: { axis: { int: 0 } } });
}

/** Cuts the last axis into pieces of the given widths. */
export function splitColumns(g: Graph, x: Value, widths: readonly number[]): Value[] {
  if (widths.length === 1) return [x];
  const specs = widths.map((width) => ({ type: x.type, shape: [...x.shape.slice(0, -1), width] }));
  return g.nodes('Split', [x, g.constant('int64', widths)], specs, { attributes: { axis: { int: -1 } } });
}

/** Rows of `table` by number: [v, …] and any shape of indices → [indices…, …]. */
export function gatherRows(g: Graph, table: Value, indices: Value): Value {
  const shape = [...indices.shape, ...table.shape.slice(1)];
  return g.node(
    'Gather',
    [table, indices],
    { type: table.type, shape },
    { attributes: { axis: { int: 0 } } },
  );
}

/** A reduction of the last axis to width 1, or away when `keep` is false. */
export function reduceLast(g: Graph, op: 'ReduceMax' | 'ReduceLogSumExp', x: Value, keep: boolean): Value {
  const shape = keep ? [...x.shape.slice(0, -1), 1] : x.shape.slice(0, -1);
  return g.node(
    op,
    [x, g.constant('int64', [-1])],
    { type: x.type, shape },
    { attributes: { keepdims: { int: keep ? 1 : 0 } } },
  );
}

// ── normalisation ──────────────────────────────────────────────────────────────────────────────

/** (x − mean) / √(variance + ε) · scale + bias, over the last axis. */
export function layerNorm(g: Graph, x: Value, scale: Value, bias: Value, epsilon: number): Value {
  const attributes = { epsilon: { float: epsilon }, axis: { int: -1 } };
  return g.node('LayerNormalization', [x, scale, bias], { type: x.type, shape: x.shape }, { attributes });
}

/** The residual stream after a branch came back to it, and its normalised copy for the next branch. */
export interface Stream {
  readonly normed: Value;
  readonly residual: Value;
}

/** residual ← x + residual (+ branchBias); normed ← LayerNorm(residual). */
export function skipLayerNorm(
  g: Graph,
  x: Value,
  residual: Value,
  norm: { scale: Value; bias: Value; epsilon: number },
  branchBias: Value | undefined,
): Stream {
  return skipNorm(
    g,
    'SkipLayerNormalization',
    [x, residual, norm.scale, norm.bias, branchBias],
    norm.epsilon,
  );
}

/** x / √(mean(x²) + ε) · scale, over the last axis. */
export function rmsNorm(g: Graph, x: Value, scale: Value, epsilon: number): Value {
  const attributes = { epsilon: { float: epsilon }, axis: { int: -1 }, stash_type: { int: 1 } };
  return g.node('SimplifiedLayerNormalization', [x, scale], { type: x.type, shape: x.shape }, { attributes });
}

/** residual ← x + residual (+ branchBias); normed ← RMSNorm(residual). */
export function skipRmsNorm(
  g: Graph,
  x: Value,
  residual: Value,
  norm: { scale: Value; epsilon: number },
  branchBias: Value | undefined,
): Stream {
  return skipNorm(g, 'SkipSimplifiedLayerNormalization', [x, residual, norm.scale, branchBias], norm.epsilon);
}

function skipNorm(g: Graph, op: string, inputs: readonly (Value | undefined)[], epsilon: number): Stream {
  const [x] = inputs;
  assert(x !== undefined, 'a norm has an input');
  const given = inputs.slice(0, inputs.findLastIndex((input) => input !== undefined) + 1);
  const spec = { type: x.type, shape: x.shape };
  const [normed, residual] = g.nodes(op, given, [spec, undefined, undefined, spec], {
    domain: MICROSOFT,
    attributes: { epsilon: { float: epsilon } },
  });
  assert(normed !== undefined && residual !== undefined, 'two results were asked for');
  return { normed, residual };
}

// ── attention ──────────────────────────────────────────────────────────────────────────────────

/** Cosines and sines of rotary positions: [positions, half the rotated channels]. */
export interface RotaryTable {
  readonly cos: Value;
  readonly sin: Value;
}

/** Rotates the first channels of every head of x [B, S, heads · headDim], positions 0, 1, 2, … */
export function rotary(g: Graph, x: Value, table: RotaryTable, heads: number): Value {
  const half = Number(table.cos.shape[1]);
  return g.node(
    'RotaryEmbedding',
    [x, g.constant('int64', [0]), table.cos, table.sin],
    { type: x.type, shape: x.shape },
    {
      domain: MICROSOFT,
      attributes: {
        num_heads: { int: heads },
        rotary_embedding_dim: { int: 2 * half },
        interleaved: { int: 0 },
      },
    },
  );
}

/** softmax(q·kᵀ · scale)·v per head, everything seeing everything; q, k, v [B, S, heads · headDim]. */
export function attention(g: Graph, q: Value, k: Value, v: Value, heads: number, scale: number): Value {
  return g.node(
    'MultiHeadAttention',
    [q, k, v],
    { type: q.type, shape: q.shape },
    { domain: MICROSOFT, attributes: { num_heads: { int: heads }, scale: { float: scale } } },
  );
}

export interface CausalAttention {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly scale: number;
  /** int32 [B]: total length of each row − 1. */
  readonly lastPosition: Value;
  /** int32 []: the longest total length. */
  readonly totalLength: Value;
  readonly table: RotaryTable;
  /** [B, kvHeads, P, headDim] each. */
  readonly past: { readonly key: Value; readonly value: Value };
  /** Names of the outputs that hold past and new keys and values. */
  readonly present: { readonly key: string; readonly value: string };
}

/** Causal attention with rotary positions and a KV cache; qkv [B, S, (heads + 2·kvHeads) · headDim], packed. */
export function causalAttention(g: Graph, qkv: Value, a: CausalAttention): Value {
  const [batch = 'B', length = 'S'] = qkv.shape;
  const cacheShape = [batch, a.kvHeads, 'P_present', a.headDim];
  const [context, key, value] = g.nodes(
    'GroupQueryAttention',
    [
      ...[qkv, undefined, undefined, a.past.key, a.past.value],
      ...[a.lastPosition, a.totalLength, a.table.cos, a.table.sin],
    ],
    [
      { type: qkv.type, shape: [batch, length, a.heads * a.headDim] },
      { type: qkv.type, shape: cacheShape },
      { type: qkv.type, shape: cacheShape },
    ],
    {
      domain: MICROSOFT,
      attributes: {
        num_heads: { int: a.heads },
        kv_num_heads: { int: a.kvHeads },
        scale: { float: a.scale },
        do_rotary: { int: 1 },
        rotary_interleaved: { int: 0 },
      },
    },
  );
  assert(context !== undefined && key !== undefined && value !== undefined, 'three results were asked for');
  g.output(key, a.present.key);
  g.output(value, a.present.value);
  return context;
}
