// A model of any size whose weights are noise, made up as they are asked for: for the tests and benches of
// fetching and storing, which do not look inside.

import { createHash } from 'node:crypto';
import { type FileEntry, MANIFEST_PATH, type Manifest, PIECE_BYTES } from '../../src/model/manifest.ts';

const BLOCK_BYTES = 1 << 20;

export interface StandInShape {
  readonly shards: number;
  readonly shardBytes: number;
  readonly seed?: number;
  /** Without, the manifest gives one hash per file only, as older ones do. */
  readonly pieces?: boolean;
  readonly name?: string;
}

export interface StandInModel {
  readonly manifest: Manifest;
  readonly totalBytes: number;
  readonly entries: readonly FileEntry[];
  /** Bytes [startByte, endByte) of a file, the manifest included; undefined if there is no such file. */
  bytes(path: string, startByte?: number, endByte?: number): Buffer | undefined;
  sizeOf(path: string): number | undefined;
}

export function standInModel(shape: StandInShape): StandInModel {
  const { shards, shardBytes, seed = 1, pieces = true, name = 'stand-in' } = shape;
  const noise = seededNoise(seed);
  const contents = new Map<string, { bytes: number; read: (startByte: number, endByte: number) => Buffer }>();
  const add = (stem: string, extension: string, bytes: number, index: number): FileEntry => {
    const read = (startByte: number, endByte: number): Buffer => noisyBytes(noise, index, startByte, endByte);
    const entry = describe(stem, extension, bytes, read, pieces);
    contents.set(entry.path, { bytes, read });
    return entry;
  };
  const tokenizer = add('tokenizer', 'json', 5000, 1);
  const tokenizerConfig = add('tokenizer_config', 'json', 300, 2);
  const encoder = add('encoder', 'onnx', 9000, 3);
  const decoder = add('decoder', 'onnx', 12_000, 4);
  const weights = Array.from({ length: shards }, (_, i) => add('weights', 'bin', shardBytes, 5 + i));
  const names = weights.map((shard) => shard.path);
  const manifest = manifestOf(
    name,
    tokenizer,
    tokenizerConfig,
    { ...encoder, shards: names },
    { ...decoder, shards: [] },
    weights,
  );
  const text = Buffer.from(JSON.stringify(manifest));
  contents.set(MANIFEST_PATH, {
    bytes: text.length,
    read: (start, end) => Buffer.from(text.subarray(start, end)),
  });
  const entries = [tokenizer, tokenizerConfig, encoder, decoder, ...weights];
  return {
    manifest,
    entries,
    totalBytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
    bytes(path, startByte = 0, endByte = Infinity) {
      const file = contents.get(path);
      return file?.read(startByte, Math.min(endByte, file.bytes));
    },
    sizeOf: (path) => contents.get(path)?.bytes,
  };
}

type GraphFile = FileEntry & { readonly shards: readonly string[] };

function manifestOf(
  name: string,
  tokenizer: FileEntry,
  tokenizerConfig: FileEntry,
  encoder: GraphFile,
  decoder: GraphFile,
  shards: readonly FileEntry[],
): Manifest {
  const layers = { hiddenSize: 8, layers: 1, heads: 1, kvHeads: 1, headDim: 8, intermediateSize: 16 };
  const audio = { ...layers, melBins: 128, maxPositions: 1500, rotaryDims: 4, ropeTheta: 10_000 };
  const more = { vocabSize: 64, maxPositions: 64, rmsNormEps: 1e-5, ropeTheta: 10_000 };
  const text = { ...layers, ...more, attentionBias: false, mlpBias: false };
  return {
    format: 'sotto-model',
    version: 1,
    name,
    profile: 'fp32',
    source: {},
    config: { audio, text, audioTokenId: 1, stopIds: [2] },
    features: { sampleRate: 16_000, fftSize: 400, hopSamples: 160, melBins: 128, windowSeconds: 30 },
    instruction: 'Transcribe.',
    cache: { layers: 1, kvHeads: 1, headDim: 8 },
    graphs: [{ activation: 'float32', encoder, decoder }],
    tokenizer,
    tokenizerConfig,
    shards,
  };
}

function describe(
  stem: string,
  extension: string,
  bytes: number,
  read: (startByte: number, endByte: number) => Buffer,
  withPieces: boolean,
): FileEntry {
  const whole = createHash('sha256');
  const pieces: string[] = [];
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    const piece = read(at, Math.min(bytes, at + PIECE_BYTES));
    whole.update(piece);
    if (withPieces) pieces.push(createHash('sha256').update(piece).digest('hex'));
  }
  const sha256 = whole.digest('hex');
  const path = `${stem}-${sha256.slice(0, 16)}.${extension}`;
  return { path, bytes, sha256, ...(withPieces && { pieces }) };
}

/** A block of noise that cannot be compressed, the same for the same seed. */
function seededNoise(seed: number): Buffer {
  const noise = Buffer.alloc(BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at += 32)
    createHash('sha256').update(`${seed} ${at}`).digest().copy(noise, at);
  return noise;
}

/** The same block over and over, each time marked with its number. */
function noisyBytes(noise: Buffer, file: number, startByte: number, endByte: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, endByte - startByte));
  for (let at = startByte; at < endByte;) {
    const block = Math.floor(at / BLOCK_BYTES);
    const blockEnd = Math.min(endByte, (block + 1) * BLOCK_BYTES);
    noise.copy(bytes, at - startByte, at - block * BLOCK_BYTES, blockEnd - block * BLOCK_BYTES);
    if (at === block * BLOCK_BYTES && blockEnd - at >= 8) {
      bytes.writeUInt32LE(file, at - startByte);
      bytes.writeUInt32LE(block, at - startByte + 4);
    }
    at = blockEnd;
  }
  return bytes;
}
