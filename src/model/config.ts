// A checkpoint's config.json, read once into the numbers that the rest of the house uses.
// Every dimension comes from here; nothing assumes the official size.

import { AsrError } from '../errors.ts';
import { Fields } from '../fields.ts';

export interface AudioConfig {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Also the projector's input width: four consecutive frames side by side. */
  readonly intermediateSize: number;
  readonly melBins: number;
  readonly maxPositions: number;
  /** Channels of each head that are rotated, from the first on. */
  readonly rotaryDims: number;
  readonly ropeTheta: number;
}

export interface TextConfig {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
}

export interface ModelConfig {
  readonly audio: AudioConfig;
  readonly text: TextConfig;
  /** The placeholder that audio rows take the place of. */
  readonly audioTokenId: number;
  /** Any of these ends the text. */
  readonly stopIds: readonly number[];
}

/** Mel frames per row of audio embeddings: conv stride 2, then four frames stacked. */
export const FRAMES_PER_AUDIO_ROW = 8;

/** LayerNorm epsilon of the encoder; not in config.json, the reference uses its framework's default. */
export const LAYER_NORM_EPS = 1e-5;

/** Width of the projector's middle layer in units of the text width (reference implementation). */
export const PROJECTOR_EXPANSION = 2;

/**
 * Reads a GLM-ASR config.json.
 *
 * Fails with `checkpoint-old-naming` for the layout before 27 December 2025,
 * with `checkpoint-unsupported` for another model or a variant that the reference itself does not define,
 * and with `checkpoint-malformed` (and the path of the field) when a value is missing or no number.
 */
export function parseConfig(json: unknown): ModelConfig {
  const top: Fields = new Fields(json, 'config.json', 'checkpoint-malformed');
  if (top.has('whisper_config') || top.has('lm_config')) {
    throw new AsrError('checkpoint-old-naming', 'config.json is of the layout before 27 December 2025');
  }
  const modelType = top.string('model_type', '');
  if (modelType !== 'glmasr') {
    throw new AsrError('checkpoint-unsupported', `config.json describes "${modelType}", not "glmasr"`);
  }
  expectValue(top, 'projector_hidden_act', 'gelu');
  const text = top.object('text_config');
  return {
    audio: parseAudio(top.object('audio_config')),
    text: parseText(text),
    audioTokenId: top.integer('audio_token_id', 0),
    stopIds: text.has('eos_token_id') ? text.integers('eos_token_id') : top.integers('eos_token_id'),
  };
}

function parseAudio(fields: Fields): AudioConfig {
  expectValue(fields, 'hidden_act', 'gelu');
  const hiddenSize = fields.integer('hidden_size', 1);
  const heads = fields.integer('num_attention_heads', 1);
  const headDim = fields.optionalInteger('head_dim', 1) ?? hiddenSize / heads;
  const intermediateSize = fields.integer('intermediate_size', 1);
  if (intermediateSize !== 4 * hiddenSize) {
    // The reference stacks frames up to the intermediate width but counts them four at a time.
    fields.refuse('intermediate_size', `${intermediateSize} is not 4 × hidden_size ${hiddenSize}`);
  }
  const rope = parseRope(fields);
  return {
    hiddenSize,
    layers: fields.integer('num_hidden_layers', 1),
    heads,
    kvHeads: fields.optionalInteger('num_key_value_heads', 1) ?? heads,
    headDim: evenHeadDim(fields, headDim),
    intermediateSize,
    melBins: fields.integer('num_mel_bins', 1),
    maxPositions: fields.integer('max_position_embeddings', 1),
    rotaryDims: Math.floor(headDim * rope.partialRotaryFactor),
    ropeTheta: rope.theta,
  };
}

function parseText(fields: Fields): TextConfig {
  expectValue(fields, 'hidden_act', 'silu');
  const hiddenSize = fields.integer('hidden_size', 1);
  const heads = fields.integer('num_attention_heads', 1);
  const kvHeads = fields.optionalInteger('num_key_value_heads', 1) ?? heads;
  if (heads % kvHeads !== 0)
    fields.refuse('num_key_value_heads', `${kvHeads} does not divide ${heads} heads`);
  return {
    hiddenSize,
    layers: fields.integer('num_hidden_layers', 1),
    heads,
    kvHeads,
    headDim: evenHeadDim(fields, fields.optionalInteger('head_dim', 1) ?? hiddenSize / heads),
    intermediateSize: fields.integer('intermediate_size', 1),
    vocabSize: fields.integer('vocab_size', 1),
    maxPositions: fields.integer('max_position_embeddings', 1),
    rmsNormEps: fields.number('rms_norm_eps'),
    ropeTheta: parseRope(fields).theta,
    attentionBias: fields.boolean('attention_bias', false),
    mlpBias: fields.boolean('mlp_bias', false),
  };
}

/** Rotary settings; in `rope_parameters` since transformers 5, beside it before. */
function parseRope(fields: Fields): { theta: number; partialRotaryFactor: number } {
  const rope = fields.has('rope_parameters') ? fields.object('rope_parameters') : fields;
  const type = rope.string('rope_type', 'default');
  if (type !== 'default') rope.refuse('rope_type', `"${type}" is not "default"`);
  return {
    theta: rope.optionalNumber('rope_theta') ?? 10_000,
    partialRotaryFactor:
      rope.optionalNumber('partial_rotary_factor') ?? fields.optionalNumber('partial_rotary_factor') ?? 1,
  };
}

function evenHeadDim(fields: Fields, headDim: number): number {
  if (!Number.isInteger(headDim) || headDim % 2 !== 0)
    fields.refuse('head_dim', `${headDim} is not an even number`);
  return headDim;
}

function expectValue(fields: Fields, name: string, expected: string): void {
  const found = fields.string(name, expected);
  if (found !== expected) fields.refuse(name, `"${found}" is not "${expected}"`);
}
