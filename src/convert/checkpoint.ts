// A GLM-ASR checkpoint: its config, and every one of its tensors accounted for.
//
// Names and shapes are those of the files published since 27 December 2025 (MODEL.md, "Tensors").
// 745 tensors in the official file: the head is stored beside the embedding that it equals. Copies that
// were saved again drop it and have 744.

import { AsrError, assert } from '../errors.ts';
import {
  type AudioConfig,
  FRAMES_PER_AUDIO_ROW,
  type ModelConfig,
  parseConfig,
  PROJECTOR_EXPANSION,
  type TextConfig,
} from '../model/config.ts';
import type { CheckpointFiles } from './byte-source.ts';
import { readJson } from './json-source.ts';
import { sameBytes, type StoredMatrix, wholeMatrix, withCopy } from './matrix.ts';
import { readTensors, STORED_BYTES, type StoredTensor } from './safetensors.ts';

export interface Checkpoint {
  readonly config: ModelConfig;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /**
   * The head, as against the embedding: not stored, since it is the same; stored as a copy (which is checked
   * while it is read); or a matrix of its own.
   */
  readonly head: 'same' | 'copy' | 'separate';
}

export const EMBEDDING = 'language_model.model.embed_tokens.weight';
export const HEAD = 'language_model.lm_head.weight';

/**
 * Opens a checkpoint and accounts for its tensors.
 *
 * Fails with `checkpoint-not-found`, `checkpoint-malformed`, `checkpoint-old-naming`,
 * `checkpoint-unsupported`, or `checkpoint-mismatch` (a tensor is missing, unknown or of another shape).
 */
export async function openCheckpoint(files: CheckpointFiles, signal: AbortSignal): Promise<Checkpoint> {
  const config = parseConfig(await readJson(files, 'config.json', signal));
  const tensors = await readTensors(files, signal);
  account(tensors, expectedTensors(config, tensors.has(HEAD)));
  return { config, tensors, head: await compareHead(tensors, signal) };
}

/** Rows of embedding and head that are compared before the rest is believed; a head that was trained differs at once. */
const PROBED_ROWS = 16;

async function compareHead(
  tensors: ReadonlyMap<string, StoredTensor>,
  signal: AbortSignal,
): Promise<Checkpoint['head']> {
  const head = tensors.get(HEAD);
  const embedding = tensors.get(EMBEDDING);
  if (head === undefined || embedding === undefined) return 'same';
  if (head.type !== embedding.type) return 'separate';
  const bytes = Math.min(head.bytes, PROBED_ROWS * (head.bytes / Math.max(1, head.shape[0] ?? 1)));
  const [a, b] = await Promise.all(
    [head, embedding].map(({ source, offset }) => source.read(offset, bytes, signal)),
  );
  return a !== undefined && b !== undefined && sameBytes(a, b) ? 'copy' : 'separate';
}

/** The same checkpoint, its head treated as a matrix of its own. */
export function separateHead(checkpoint: Checkpoint): Checkpoint {
  return { ...checkpoint, head: 'separate' };
}

/** The embedding [vocab, hidden]. Reading it fails with `HeadDiffers` where a copy that is the head turns out to be none. */
export function embeddingMatrix(checkpoint: Checkpoint): StoredMatrix {
  const matrix = matrixOf(checkpoint, EMBEDDING);
  const copy = checkpoint.tensors.get(HEAD);
  return checkpoint.head === 'copy' && copy !== undefined ? withCopy(matrix, copy) : matrix;
}

/** A tensor as a matrix. Accounting has made sure that it is there. */
export function matrixOf(checkpoint: Checkpoint, name: string): StoredMatrix {
  const tensor = checkpoint.tensors.get(name);
  assert(tensor !== undefined, `${name} was accounted for`);
  return wholeMatrix(tensor);
}

/** Names and shapes of all tensors that a config asks for. */
export function expectedTensors(config: ModelConfig, hasHead: boolean): Map<string, readonly number[]> {
  const { text } = config;
  const table = [text.vocabSize, text.hiddenSize];
  return new Map<string, readonly number[]>([
    ...audioTensors(config.audio),
    ...projectorTensors(config),
    ...textTensors(text),
    [EMBEDDING, table],
    ...(hasHead ? [[HEAD, table] as const] : []),
  ]);
}

type NamedShape = readonly [name: string, shape: readonly number[]];

function audioTensors(audio: AudioConfig): NamedShape[] {
  const { hiddenSize: hidden, intermediateSize, melBins } = audio;
  const q = audio.heads * audio.headDim;
  const kv = audio.kvHeads * audio.headDim;
  const layer = [
    ...linear('self_attn.q_proj', q, hidden, true),
    ...linear('self_attn.k_proj', kv, hidden, false),
    ...linear('self_attn.v_proj', kv, hidden, true),
    ...linear('self_attn.o_proj', hidden, q, true),
    ...layerNorm('input_layernorm', hidden),
    ...layerNorm('post_attention_layernorm', hidden),
    ...linear('mlp.fc1', intermediateSize, hidden, true),
    ...linear('mlp.fc2', hidden, intermediateSize, true),
  ];
  return within('audio_tower', [
    ['conv1.weight', [hidden, melBins, 3]],
    ['conv1.bias', [hidden]],
    ['conv2.weight', [hidden, hidden, 3]],
    ['conv2.bias', [hidden]],
    ...repeated(audio.layers, layer),
    ...layerNorm('norm', hidden),
  ]);
}

function projectorTensors({ audio, text }: ModelConfig): NamedShape[] {
  const middle = PROJECTOR_EXPANSION * text.hiddenSize;
  return within('multi_modal_projector', [
    ...linear('linear_1', middle, audio.hiddenSize * (FRAMES_PER_AUDIO_ROW / 2), true),
    ...linear('linear_2', text.hiddenSize, middle, true),
  ]);
}

function textTensors(text: TextConfig): NamedShape[] {
  const { hiddenSize: hidden, intermediateSize, attentionBias, mlpBias } = text;
  const q = text.heads * text.headDim;
  const kv = text.kvHeads * text.headDim;
  const layer: NamedShape[] = [
    ...linear('self_attn.q_proj', q, hidden, attentionBias),
    ...linear('self_attn.k_proj', kv, hidden, attentionBias),
    ...linear('self_attn.v_proj', kv, hidden, attentionBias),
    ...linear('self_attn.o_proj', hidden, q, attentionBias),
    ...linear('mlp.gate_proj', intermediateSize, hidden, mlpBias),
    ...linear('mlp.up_proj', intermediateSize, hidden, mlpBias),
    ...linear('mlp.down_proj', hidden, intermediateSize, mlpBias),
    ['input_layernorm.weight', [hidden]],
    ['post_attention_layernorm.weight', [hidden]],
  ];
  return within('language_model.model', [...repeated(text.layers, layer), ['norm.weight', [hidden]]]);
}

function linear(name: string, out: number, width: number, bias: boolean): NamedShape[] {
  const weight: NamedShape = [`${name}.weight`, [out, width]];
  return bias ? [weight, [`${name}.bias`, [out]]] : [weight];
}

function layerNorm(name: string, width: number): NamedShape[] {
  return [
    [`${name}.weight`, [width]],
    [`${name}.bias`, [width]],
  ];
}

function repeated(layers: number, layer: readonly NamedShape[]): NamedShape[] {
  return Array.from({ length: layers }, (_, i) => within(`layers.${i}`, layer)).flat();
}

function within(prefix: string, named: readonly NamedShape[]): NamedShape[] {
  return named.map(([name, shape]) => [`${prefix}.${name}`, shape]);
}

/** Every expected tensor is there in its shape, and nothing else is. */
function account(
  tensors: ReadonlyMap<string, StoredTensor>,
  expected: ReadonlyMap<string, readonly number[]>,
): void {
  refuseOldNaming(tensors);
  for (const [name, shape] of expected) {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw mismatch(`${name} is missing; config.json asks for ${dims(shape)}`);
    if (dims(tensor.shape) !== dims(shape)) {
      throw mismatch(`${name} is ${dims(tensor.shape)}; config.json asks for ${dims(shape)}`);
    }
    if (!(tensor.type in STORED_BYTES)) {
      throw new AsrError(
        'checkpoint-unsupported',
        `${name} is stored as ${tensor.type}; BF16, F16 and F32 are read`,
      );
    }
  }
  const unknown = [...tensors.keys()].filter((name) => !expected.has(name));
  const [first] = unknown;
  if (first !== undefined) {
    const others = unknown.length > 1 ? ` and ${unknown.length - 1} others are` : ' is';
    throw mismatch(`${first}${others} unknown to config.json`);
  }
}

function refuseOldNaming(tensors: ReadonlyMap<string, StoredTensor>): void {
  const old = [...tensors.keys()].find((name) =>
    /^(audio_encoder\.|model\.(layers|embed_tokens)\.)/.test(name),
  );
  if (old !== undefined) {
    throw new AsrError('checkpoint-old-naming', `${old} is a name of the layout before 27 December 2025`);
  }
}

function dims(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function mismatch(what: string): AsrError {
  return new AsrError('checkpoint-mismatch', what);
}
