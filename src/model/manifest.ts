// manifest.json: what an installed model consists of. Written by the converter, read by the loader.
//
//   manifest.json            this
//   encoder-<hash>.onnx      graph; its weights lie in the shards (ONNX external data)
//   decoder-<hash>.onnx
//   tokenizer-<hash>.json    the checkpoint's own tokenizer, unchanged
//   weights-<hash>.bin …     at most 64 MiB each
//
// File names carry the first 16 hex digits of their SHA-256, so a file never changes under its name.

import { AsrError } from '../errors.ts';
import type { ModelConfig } from './config.ts';
import { Fields } from '../fields.ts';

/** Raise when old loaders would misread a new manifest. */
export const MANIFEST_VERSION = 1;

export const MANIFEST_PATH = 'manifest.json';

/** A file's pieces: short enough that a wrong one is cheap to fetch again, long enough that their hashes are few. */
export const PIECE_BYTES = 1 << 20;

/**
 * How weights are stored.
 *
 * `fp32`, `fp16`: as they are. `q8q4`: 8-bit encoder, projector and embedding/head, 4-bit decoder layers
 * (MatMulNBits, block 32), for GPUs. `int8`: dynamically quantised int8 products, for CPUs and WASM.
 */
export const PROFILES = ['fp32', 'fp16', 'q8q4', 'int8'] as const;
export type Profile = (typeof PROFILES)[number];

export interface FileEntry {
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** SHA-256 of each `PIECE_BYTES` of the file in turn, so that damage can be told and mended piece by piece. */
  readonly pieces?: readonly string[];
}

/** A graph and the shards that its weights lie in. */
export interface GraphEntry extends FileEntry {
  readonly shards: readonly string[];
}

/** One way of computing the model over the same shards. */
export interface GraphPair {
  readonly activation: 'float32' | 'float16';
  readonly encoder: GraphEntry;
  readonly decoder: GraphEntry;
}

/** Settings of the feature extractor (processor_config.json). */
export interface FeatureSettings {
  readonly sampleRate: number;
  readonly fftSize: number;
  readonly hopSamples: number;
  readonly melBins: number;
  readonly windowSeconds: number;
}

export interface Manifest {
  readonly format: 'sotto-model';
  readonly version: number;
  readonly name: string;
  readonly profile: Profile;
  /** Where the weights came from and what licence they are under, as far as known. */
  readonly source: { readonly repository?: string; readonly revision?: string; readonly licence?: string };
  readonly config: ModelConfig;
  readonly features: FeatureSettings;
  /** The instruction that the model was trained with (default_transcription_prompt). */
  readonly instruction: string;
  /** Shape of the KV cache; the head may be wider than in `config` (padded to what kernels take). */
  readonly cache: { readonly layers: number; readonly kvHeads: number; readonly headDim: number };
  /** Best first. */
  readonly graphs: readonly GraphPair[];
  readonly tokenizer: FileEntry;
  readonly tokenizerConfig: FileEntry;
  readonly shards: readonly FileEntry[];
}

/** Every file that the manifest names, each once. */
export function filesOf(manifest: Manifest): FileEntry[] {
  const graphs = manifest.graphs.flatMap((pair) => [pair.encoder, pair.decoder]);
  return [manifest.tokenizer, manifest.tokenizerConfig, ...graphs, ...manifest.shards];
}

/** Size on disk of everything the manifest names. */
export function totalBytes(manifest: Manifest): number {
  return filesOf(manifest).reduce((sum, file) => sum + file.bytes, 0);
}

/**
 * Checks a manifest read from outside.
 *
 * Fails with `manifest-invalid` and the path of the bad field; a newer version says so.
 */
export function parseManifest(json: unknown): Manifest {
  const fields: Fields = new Fields(json, MANIFEST_PATH, 'manifest-invalid');
  if (fields.string('format', '') !== 'sotto-model') {
    throw new AsrError('manifest-invalid', 'manifest.json does not describe a Sotto model');
  }
  const version = fields.integer('version', 1);
  if (version !== MANIFEST_VERSION) {
    throw new AsrError(
      'manifest-invalid',
      `manifest.json has version ${version}; this Sotto reads version ${MANIFEST_VERSION}`,
    );
  }
  const profile = fields.string('profile');
  if (!isProfile(profile)) fields.refuse('profile', `"${profile}" is none of ${PROFILES.join(', ')}`);
  const shards = fields.objects('shards').map(parseFile);
  const known = new Set(shards.map((shard) => shard.path));
  const cache = fields.object('cache');
  const features = fields.object('features');
  const source = fields.object('source');
  return {
    format: 'sotto-model',
    version,
    name: fields.string('name'),
    profile,
    source: {
      ...(source.has('repository') && { repository: source.string('repository') }),
      ...(source.has('revision') && { revision: source.string('revision') }),
      ...(source.has('licence') && { licence: source.string('licence') }),
    },
    config: parseModelConfig(fields.object('config')),
    features: {
      sampleRate: features.integer('sampleRate', 1),
      fftSize: features.integer('fftSize', 1),
      hopSamples: features.integer('hopSamples', 1),
      melBins: features.integer('melBins', 1),
      windowSeconds: features.integer('windowSeconds', 1),
    },
    instruction: fields.string('instruction'),
    cache: {
      layers: cache.integer('layers', 1),
      kvHeads: cache.integer('kvHeads', 1),
      headDim: cache.integer('headDim', 1),
    },
    graphs: fields.objects('graphs').map((pair) => parseGraphPair(pair, known)),
    tokenizer: parseFile(fields.object('tokenizer')),
    tokenizerConfig: parseFile(fields.object('tokenizerConfig')),
    shards,
  };
}

export function isProfile(text: string): text is Profile {
  return (PROFILES as readonly string[]).includes(text);
}

function parseGraphPair(fields: Fields, known: ReadonlySet<string>): GraphPair {
  const activation = fields.string('activation');
  if (activation !== 'float32' && activation !== 'float16')
    fields.refuse('activation', `"${activation}" is unknown`);
  return {
    activation,
    encoder: parseGraph(fields.object('encoder'), known),
    decoder: parseGraph(fields.object('decoder'), known),
  };
}

function parseGraph(fields: Fields, known: ReadonlySet<string>): GraphEntry {
  const shards = fields.strings('shards');
  for (const path of shards)
    if (!known.has(path)) fields.refuse('shards', `${path} is not in the list of shards`);
  return { ...parseFile(fields), shards };
}

function parseFile(fields: Fields): FileEntry {
  const path = fields.string('path');
  // A manifest may come from a mirror: its names must stay inside the model's own folder.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(path)) fields.refuse('path', `"${path}" is not a plain file name`);
  if (path.toLowerCase() === MANIFEST_PATH) fields.refuse('path', 'is the name of the manifest itself');
  const sha256 = fields.string('sha256');
  if (!isSha256(sha256)) fields.refuse('sha256', 'is not 64 hex digits');
  const bytes = fields.integer('bytes', 0);
  if (!fields.has('pieces')) return { path, bytes, sha256 };
  const pieces = fields.strings('pieces');
  if (pieces.length !== Math.ceil(bytes / PIECE_BYTES) || !pieces.every(isSha256)) {
    fields.refuse('pieces', `should be ${Math.ceil(bytes / PIECE_BYTES)} hashes of 64 hex digits`);
  }
  return { path, bytes, sha256, pieces };
}

function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function parseModelConfig(fields: Fields): ModelConfig {
  const audio = fields.object('audio');
  const text = fields.object('text');
  return {
    audio: {
      hiddenSize: audio.integer('hiddenSize', 1),
      layers: audio.integer('layers', 1),
      heads: audio.integer('heads', 1),
      kvHeads: audio.integer('kvHeads', 1),
      headDim: audio.integer('headDim', 1),
      intermediateSize: audio.integer('intermediateSize', 1),
      melBins: audio.integer('melBins', 1),
      maxPositions: audio.integer('maxPositions', 1),
      rotaryDims: audio.integer('rotaryDims', 0),
      ropeTheta: audio.number('ropeTheta'),
    },
    text: {
      hiddenSize: text.integer('hiddenSize', 1),
      layers: text.integer('layers', 1),
      heads: text.integer('heads', 1),
      kvHeads: text.integer('kvHeads', 1),
      headDim: text.integer('headDim', 1),
      intermediateSize: text.integer('intermediateSize', 1),
      vocabSize: text.integer('vocabSize', 1),
      maxPositions: text.integer('maxPositions', 1),
      rmsNormEps: text.number('rmsNormEps'),
      ropeTheta: text.number('ropeTheta'),
      attentionBias: text.boolean('attentionBias', false),
      mlpBias: text.boolean('mlpBias', false),
    },
    audioTokenId: fields.integer('audioTokenId', 0),
    stopIds: fields.integers('stopIds'),
  };
}
