// The forward pass of GLM-ASR, written to be read: the executable half of MODEL.md.
//
// No cache, no batches, no graph: one window of features, or one sequence of rows, from tensors by their names in
// the checkpoint. It knows nothing of src/convert and nothing of ONNX.

import {
  FRAMES_PER_AUDIO_ROW,
  LAYER_NORM_EPS,
  type AudioConfig,
  type ModelConfig,
  type TextConfig,
} from '../../src/model/config.ts';
import { add, columns, dot, map, mapRows, type Matrix, matrix, multiply, rowsOf, stack } from './matrix.ts';

export interface Weights {
  /** A tensor of the checkpoint, flattened; undefined when there is none of that name. */
  tensor(name: string): Float32Array | undefined;
  /** What a matrix product sees of its input's rows; for formats that round activations. */
  readonly seenRow?: (row: Float32Array) => Float32Array;
}

// ── the ear ────────────────────────────────────────────────────────────────────────────────────

/** features [melBins, frames] → states [frames/2, hidden] and audio rows [frames/8, textHidden]. */
export function encode(
  config: ModelConfig,
  weights: Weights,
  features: Matrix,
): { states: Matrix; embeds: Matrix } {
  const { audio } = config;
  const stem = map(conv(features, weights, 'audio_tower.conv1', audio.hiddenSize, 1), gelu);
  let x = transpose(map(conv(stem, weights, 'audio_tower.conv2', audio.hiddenSize, 2), gelu));
  for (let i = 0; i < audio.layers; i++) x = encoderLayer(audio, weights, x, `audio_tower.layers.${i}`);
  const states = layerNorm(x, weights, 'audio_tower.norm');
  const width = audio.hiddenSize * (FRAMES_PER_AUDIO_ROW / 2);
  const stacked = { rows: states.data.length / width, columns: width, data: states.data };
  const middle = map(linear(stacked, weights, 'multi_modal_projector.linear_1'), gelu);
  return { states, embeds: linear(middle, weights, 'multi_modal_projector.linear_2') };
}

function encoderLayer(audio: AudioConfig, weights: Weights, x: Matrix, name: string): Matrix {
  const { heads, kvHeads, headDim, rotaryDims, ropeTheta } = audio;
  const a = layerNorm(x, weights, `${name}.input_layernorm`);
  const context = attention(
    { heads, kvHeads, headDim, rotaryDims, ropeTheta, causal: false },
    linear(a, weights, `${name}.self_attn.q_proj`),
    linear(a, weights, `${name}.self_attn.k_proj`),
    linear(a, weights, `${name}.self_attn.v_proj`),
  );
  const attended = add(x, linear(context, weights, `${name}.self_attn.o_proj`));
  const b = layerNorm(attended, weights, `${name}.post_attention_layernorm`);
  const hidden = map(linear(b, weights, `${name}.mlp.fc1`), gelu);
  return add(attended, linear(hidden, weights, `${name}.mlp.fc2`));
}

// ── the language model ─────────────────────────────────────────────────────────────────────────

/** Rows of the embedding. */
export function embed(config: ModelConfig, weights: Weights, ids: readonly number[]): Matrix {
  const width = config.text.hiddenSize;
  const table = weights.tensor('language_model.model.embed_tokens.weight')!;
  return stack(
    ids.map((id) => table.subarray(id * width, (id + 1) * width)),
    width,
  );
}

/** Rows [n, textHidden], ids and audio in their order → logits [n, vocab]. */
export function decode(config: ModelConfig, weights: Weights, rows: Matrix): Matrix {
  const { text } = config;
  let x = rows;
  for (let i = 0; i < text.layers; i++)
    x = decoderLayer(text, weights, x, `language_model.model.layers.${i}`);
  const normed = rmsNorm(x, weights, 'language_model.model.norm', text.rmsNormEps);
  const head = 'language_model.lm_head';
  return linear(
    normed,
    weights,
    weights.tensor(`${head}.weight`) ? head : 'language_model.model.embed_tokens',
  );
}

function decoderLayer(text: TextConfig, weights: Weights, x: Matrix, name: string): Matrix {
  const { heads, kvHeads, headDim, ropeTheta, rmsNormEps } = text;
  const a = rmsNorm(x, weights, `${name}.input_layernorm`, rmsNormEps);
  const context = attention(
    { heads, kvHeads, headDim, rotaryDims: headDim, ropeTheta, causal: true },
    linear(a, weights, `${name}.self_attn.q_proj`),
    linear(a, weights, `${name}.self_attn.k_proj`),
    linear(a, weights, `${name}.self_attn.v_proj`),
  );
  const attended = add(x, linear(context, weights, `${name}.self_attn.o_proj`));
  const b = rmsNorm(attended, weights, `${name}.post_attention_layernorm`, rmsNormEps);
  const gate = map(linear(b, weights, `${name}.mlp.gate_proj`), (g) => g / (1 + Math.exp(-g)));
  const gated = multiply(gate, linear(b, weights, `${name}.mlp.up_proj`));
  return add(attended, linear(gated, weights, `${name}.mlp.down_proj`));
}

// ── parts ──────────────────────────────────────────────────────────────────────────────────────

interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rotaryDims: number;
  readonly ropeTheta: number;
  readonly causal: boolean;
}

/** softmax(q·kᵀ / √headDim)·v per head; query heads share key/value heads in groups. */
function attention(shape: AttentionShape, q: Matrix, k: Matrix, v: Matrix): Matrix {
  const { heads, kvHeads, headDim, causal } = shape;
  const context = new Float32Array(q.rows * heads * headDim);
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / (heads / kvHeads));
    const queries = rowsOf(rotate(columns(q, head * headDim, headDim), shape));
    const keys = rowsOf(rotate(columns(k, kvHead * headDim, headDim), shape));
    const values = rowsOf(columns(v, kvHead * headDim, headDim));
    for (const [t, query] of queries.entries()) {
      const seen = causal ? keys.slice(0, t + 1) : keys;
      const shares = softmax(seen.map((key) => dot(query, key) * headDim ** -0.5));
      const sum = new Float64Array(headDim);
      shares.forEach((share, s) => {
        const value = values[s]!;
        for (let c = 0; c < headDim; c++) sum[c]! += share * value[c]!;
      });
      context.set(sum, (t * heads + head) * headDim);
    }
  }
  return { rows: q.rows, columns: heads * headDim, data: context };
}

/** Channel i of the first half turns with channel i of the second; channels past the rotated ones stand still. */
function rotate(x: Matrix, { rotaryDims, ropeTheta }: AttentionShape): Matrix {
  const half = Math.ceil(rotaryDims / 2);
  return mapRows(x, (head, position) => {
    const turned = head.slice();
    for (let i = 0; i < half; i++) {
      const frequency = Math.fround(1 / Math.fround(ropeTheta ** Math.fround((2 * i) / rotaryDims)));
      const angle = Math.fround(position * frequency);
      const [a, b] = [head[i]!, head[i + half]!];
      turned[i] = a * Math.cos(angle) - b * Math.sin(angle);
      turned[i + half] = b * Math.cos(angle) + a * Math.sin(angle);
    }
    return turned;
  });
}

function softmax(scores: readonly number[]): number[] {
  const largest = scores.reduce((a, b) => Math.max(a, b));
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** x·Wᵀ + b; W [out, in] and b as stored, b where there is one. */
function linear(x: Matrix, weights: Weights, name: string): Matrix {
  const weight = weights.tensor(`${name}.weight`)!;
  const bias = weights.tensor(`${name}.bias`);
  const outputs = rowsOf({ rows: weight.length / x.columns, columns: x.columns, data: weight });
  return mapRows(x, (input) => {
    const seen = weights.seenRow?.(input) ?? input;
    return new Float32Array(outputs.map((output, n) => dot(seen, output) + (bias?.[n] ?? 0)));
  });
}

/** Kernel 3, a frame of zeros on either side. x [in, frames] → [out, frames/stride] */
function conv(x: Matrix, weights: Weights, name: string, out: number, stride: number): Matrix {
  const weight = weights.tensor(`${name}.weight`)!;
  const bias = weights.tensor(`${name}.bias`)!;
  const frames = rowsOf(transpose(x));
  const taps = [0, 1, 2].map((tap) =>
    rowsOf(matrix(out, x.rows, (o, c) => weight[(o * x.rows + c) * 3 + tap]!)),
  );
  return matrix(out, Math.ceil(x.columns / stride), (o, t) => {
    let sum = bias[o]!;
    for (let tap = 0; tap < 3; tap++) {
      const frame = frames[t * stride + tap - 1];
      if (frame !== undefined) sum += dot(frame, taps[tap]![o]!);
    }
    return sum;
  });
}

function transpose(x: Matrix): Matrix {
  return matrix(x.columns, x.rows, (r, c) => x.data[c * x.columns + r]!);
}

function layerNorm(x: Matrix, weights: Weights, name: string): Matrix {
  const scale = weights.tensor(`${name}.weight`)!;
  const bias = weights.tensor(`${name}.bias`)!;
  return mapRows(x, (values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const inverse = 1 / Math.sqrt(variance + LAYER_NORM_EPS);
    return values.map((value, i) => (value - mean) * inverse * scale[i]! + bias[i]!);
  });
}

function rmsNorm(x: Matrix, weights: Weights, name: string, epsilon: number): Matrix {
  const scale = weights.tensor(`${name}.weight`)!;
  return mapRows(x, (values) => {
    const inverse = 1 / Math.sqrt(dot(values, values) / values.length + epsilon);
    return values.map((value, i) => value * inverse * scale[i]!);
  });
}

/** x·Φ(x) with the error function itself, not its tanh approximation. */
function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** By its series near zero and by its continued fraction further out; good to 1e-12. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; Math.abs(term) > 1e-17; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}
