// START HERE. A checkpoint becomes a model that runs, in five steps:
//
//   1 account    config.json and the directory of the weights; every tensor known and none missing
//   2 build      the graphs of encoder and decoder, for each activation type of the profile
//   3 plan       which weight lies where in which shard
//   4 fill       weights read, written down in the profile's formats, hashed and stored, a shard at a time
//   5 describe   graphs and tokenizer stored, the manifest last
//
// Pure: bytes come from a `CheckpointFiles`, files go to a `ModelSink`. Memory is bounded by a few shards,
// whatever the checkpoint's size. The same checkpoint and profile give the same bytes.

import { assert } from '../errors.ts';
import {
  type FileEntry,
  type GraphEntry,
  type GraphPair,
  type Manifest,
  MANIFEST_PATH,
  MANIFEST_VERSION,
  type Profile,
} from '../model/manifest.ts';
import type { CheckpointFiles, ModelSink } from './byte-source.ts';
import { type Checkpoint, openCheckpoint, separateHead } from './checkpoint.ts';
import { decoderGraph } from './decoder-graph.ts';
import { encoderGraph } from './encoder-graph.ts';
import { readProcessing } from './features.ts';
import { fillShards, FillMemory } from './fill.ts';
import type { Graph, Place } from './graph.ts';
import { fileEntry, type HashBytes, sha256 } from './hash.ts';
import { paddedHeadDim } from './head-layout.ts';
import { CopyDiffers } from './matrix.ts';
import { encodeModel } from './onnx.ts';
import { planKey } from './plan-key.ts';
import { type GraphSetting, PROFILE_FORMATS } from './profiles.ts';
import {
  type Batch,
  batchStoredBytes,
  inFileOrder,
  MAX_SHARD_BYTES,
  MAX_WEIGHT_BYTES,
  planShards,
} from './shards.ts';
import { readTokenizer } from './tokenizer-files.ts';
import { partBytes, type WeightPart } from './weights.ts';

export interface ConvertProgress {
  /** Bytes of weights read and to read. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface ConvertOptions {
  readonly profile: Profile;
  /** What people will call the model. */
  readonly name: string;
  readonly source?: Manifest['source'];
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ConvertProgress) => void;
  /** Hears the size of all shards before the first is filled; a rejection ends the conversion. */
  readonly onPlan?: (shardBytes: number) => Promise<void>;
  /** Seek the best scale of every 4-bit block: a better decoder for about four times the time. */
  readonly searchScales?: boolean;
  /** Of MatMulNBits, see `GraphSetting`; tests compare with 0. */
  readonly accuracyLevel?: 0 | 4;
  /** Takes the place of WebCrypto, which copies every shard that it hashes. */
  readonly hashBytes?: HashBytes;
  /** Smaller than usual in tests, so that small models are cut too. */
  readonly maxShardBytes?: number;
  readonly maxWeightBytes?: number;
}

/**
 * Converts a checkpoint and returns the manifest that it stored last.
 *
 * Fails with the codes of `openCheckpoint`, `readProcessing` and `readTokenizer`, and with what source and sink
 * fail with. A sink keeps whatever it was given until then; what becomes of it is its owner's business.
 */
export async function convert(
  files: CheckpointFiles,
  sink: ModelSink,
  options: ConvertOptions,
): Promise<Manifest> {
  const { signal } = options;
  const checkpoint = await openCheckpoint(files, signal);
  const { audio, text } = checkpoint.config;
  const processing = await readProcessing(files, audio.melBins, signal);
  const tokenizer = await readTokenizer(files, signal);
  const { graphs, shards } = await storeModel(checkpoint, sink, options);
  const manifest: Manifest = {
    format: 'sotto-model',
    version: MANIFEST_VERSION,
    name: options.name,
    profile: options.profile,
    source: options.source ?? {},
    config: checkpoint.config,
    ...processing,
    cache: { layers: text.layers, kvHeads: text.kvHeads, headDim: paddedHeadDim(text.headDim) },
    graphs,
    tokenizer: await store(sink, 'tokenizer', 'json', tokenizer.tokenizer),
    tokenizerConfig: await store(sink, 'tokenizer_config', 'json', tokenizer.config),
    shards,
  };
  const content = new Uint8Array(new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  signal.throwIfAborted();
  await sink.write({ path: MANIFEST_PATH, bytes: content.length, sha256: await sha256(content) }, content);
  return manifest;
}

interface StoredModel {
  readonly graphs: readonly GraphPair[];
  readonly shards: readonly FileEntry[];
}

/** Steps 2 to 5, once more from the beginning where the head turns out not to be the embedding after all. */
async function storeModel(
  checkpoint: Checkpoint,
  sink: ModelSink,
  options: ConvertOptions,
): Promise<StoredModel> {
  try {
    return await storeGraphs(checkpoint, sink, options);
  } catch (error) {
    if (!(error instanceof CopyDiffers)) throw error;
    return storeGraphs(separateHead(checkpoint), sink, options);
  }
}

async function storeGraphs(
  checkpoint: Checkpoint,
  sink: ModelSink,
  options: ConvertOptions,
): Promise<StoredModel> {
  const pairs = settings(options).map((setting) => ({
    activation: setting.activation,
    encoder: encoderGraph({ checkpoint, setting }),
    decoder: decoderGraph({ checkpoint, setting }),
  }));
  const maxBytes = options.maxShardBytes ?? MAX_SHARD_BYTES;
  // Encoder and decoder are loaded one after the other, so neither has weights in the other's shards.
  const batches = inFileOrder(
    (['decoder', 'encoder'] as const).flatMap((part) =>
      planShards(
        pairs.flatMap((pair) => pair[part].weights),
        maxBytes,
      ),
    ),
  );
  await options.onPlan?.(sum(batches.flatMap(({ shards }) => shards.map(({ bytes }) => bytes))));
  const { places, shards } = await storeShards(batches, sink, options);
  const graphs: GraphPair[] = [];
  for (const { activation, encoder, decoder } of pairs) {
    graphs.push({
      activation,
      encoder: await storeGraph(sink, 'encoder', encoder, places),
      decoder: await storeGraph(sink, 'decoder', decoder, places),
    });
  }
  return { graphs, shards };
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

function settings(options: ConvertOptions): GraphSetting[] {
  const formats = PROFILE_FORMATS[options.profile];
  return formats.activations.map((activation) => ({
    formats,
    activation,
    scaleChoice: options.searchScales === true ? 'search' : 'largest',
    accuracyLevel: options.accuracyLevel ?? 4,
    maxWeightBytes: options.maxWeightBytes ?? MAX_WEIGHT_BYTES,
  }));
}

type Places = ReadonlyMap<string, Place>;

async function storeShards(
  batches: readonly Batch[],
  sink: ModelSink,
  { signal, onProgress, hashBytes }: ConvertOptions,
): Promise<{ places: Places; shards: FileEntry[] }> {
  const totalBytes = sum(batches.map(batchStoredBytes));
  const places = new Map<string, Place>();
  const shards = new Map<string, FileEntry>();
  const memory = new FillMemory();
  let doneBytes = 0;
  for (const batch of batches) {
    const before = doneBytes;
    const onRead = (bytes: number): void => {
      doneBytes += bytes;
      onProgress?.({ doneBytes, totalBytes });
    };
    const entries = await storeBatch(batch, memory, sink, signal, onRead, hashBytes);
    doneBytes = before + batchStoredBytes(batch);
    onProgress?.({ doneBytes, totalBytes });
    for (const [i, entry] of entries.entries()) {
      shards.set(entry.path, entry);
      for (const { weight, offsets } of batch.shards[i]?.slots ?? []) {
        weight.parts.forEach((part, p) => {
          places.set(part.name, { location: entry.path, offset: offsets[p] ?? 0, bytes: partBytes(part) });
        });
      }
    }
  }
  return { places, shards: [...shards.values()] };
}

/** Fills and stores the shards of one batch, unless the sink still has them from an earlier attempt. */
async function storeBatch(
  batch: Batch,
  memory: FillMemory,
  sink: ModelSink,
  signal: AbortSignal,
  onRead: (bytes: number) => void,
  hashBytes?: HashBytes,
): Promise<FileEntry[]> {
  signal.throwIfAborted();
  const keys = await Promise.all(batch.shards.map(planKey));
  const known = await recallAll(sink, keys);
  if (known !== undefined) return known;
  const entries: FileEntry[] = [];
  for (const [i, content] of (await fillShards(batch, memory, signal, onRead)).entries()) {
    const entry = await fileEntry('weights', 'bin', content, hashBytes);
    signal.throwIfAborted();
    await sink.write(entry, content, keys[i]);
    entries.push(entry);
  }
  return entries;
}

/** The files of all these plans; undefined when one of them is missing. */
async function recallAll(
  sink: ModelSink,
  keys: readonly (string | undefined)[],
): Promise<FileEntry[] | undefined> {
  const known: FileEntry[] = [];
  for (const key of keys) {
    const entry = key === undefined ? undefined : await sink.recall?.(key);
    if (entry === undefined) return undefined;
    known.push(entry);
  }
  return known;
}

async function storeGraph(sink: ModelSink, stem: string, graph: Graph, places: Places): Promise<GraphEntry> {
  const used = new Set<string>();
  const placeOf = (part: WeightPart): Place => {
    const place = places.get(part.name);
    assert(place !== undefined, `${part.name} lies in a shard`);
    used.add(place.location);
    return place;
  };
  const content = encodeModel(graph.finish(placeOf), 'sotto');
  return { ...(await store(sink, stem, 'onnx', content)), shards: [...used].sort() };
}

async function store(
  sink: ModelSink,
  stem: string,
  extension: string,
  content: Uint8Array<ArrayBuffer>,
): Promise<FileEntry> {
  const entry = await fileEntry(stem, extension, content);
  await sink.write(entry, content);
  return entry;
}
