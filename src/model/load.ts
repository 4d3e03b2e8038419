// manifest + files + runtime → Model.

import { AsrError, assert } from '../errors.ts';
import type { ModelFile, ModelFiles, Runtime, SessionSource } from '../ports.ts';
import { Tokenizer } from '../text/tokenizer.ts';
import { Decoder } from './decoder.ts';
import { DecoderRuns } from './decoder-runs.ts';
import { Encoder } from './encoder.ts';
import { ENCODER_OUTPUT } from './graph-io.ts';
import { KvCache } from './kv-cache.ts';
import { type FileEntry, type GraphEntry, type GraphPair, type Manifest, parseManifest } from './manifest.ts';
import { type Prompt, renderPrompt } from './prompt.ts';
import { type Reader, SoloReader } from './reader.ts';

/** A model ready to read. `release` ends its sessions; the runtime stays with who made it. */
export interface Model {
  readonly manifest: Manifest;
  readonly runtime: Runtime;
  readonly activation: 'float32' | 'float16';
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly runs: DecoderRuns;
  readonly reader: Reader;
  readonly tokenizer: Tokenizer;
  readonly stopIds: ReadonlySet<number>;
  /** The prompt around the audio; without an instruction, the one that the model was trained with. */
  prompt(instruction?: string): Prompt;
  release(): Promise<void>;
}

export type LoadStage = 'tokenizer' | 'encoder' | 'decoder';

/**
 * Loads a model onto a runtime.
 *
 * Picks the best graph pair that the runtime can compute. Fails with `model-not-found`,
 * `manifest-invalid`, `weights-missing`, `weights-corrupt`, `out-of-memory` or `device-unavailable`;
 * what was loaded until then is released.
 */
export async function loadModel(
  files: ModelFiles,
  runtime: Runtime,
  signal?: AbortSignal,
  onStage?: (stage: LoadStage) => void,
): Promise<Model> {
  const manifest = parseManifest(await files.manifest());
  const pair = choosePair(manifest, runtime);
  onStage?.('tokenizer');
  const tokenizer = new Tokenizer(
    await readJson(files, manifest.tokenizer),
    await readJson(files, manifest.tokenizerConfig),
  );
  const { config, cache } = manifest;
  signal?.throwIfAborted();
  onStage?.('encoder');
  const encoderSession = await runtime.createSession(source(files, manifest, pair.encoder, [ENCODER_OUTPUT]));
  try {
    signal?.throwIfAborted();
    onStage?.('decoder');
    const presents = KvCache.presentNames(cache.layers);
    const decoderSession = await runtime.createSession(source(files, manifest, pair.decoder, presents));
    const encoder = new Encoder(runtime, encoderSession, config.audio.melBins);
    const runs = new DecoderRuns(runtime, decoderSession, pair.activation, config.text.hiddenSize);
    const decoder = new Decoder(runtime, runs, cache, pair.activation);
    const stopIds = new Set(config.stopIds);
    return {
      manifest,
      runtime,
      activation: pair.activation,
      encoder,
      decoder,
      tokenizer,
      runs,
      reader: new SoloReader(encoder, decoder, stopIds),
      stopIds,
      prompt: (instruction = manifest.instruction) => renderPrompt(tokenizer, instruction),
      release: async () => {
        await encoder.release();
        await decoder.release();
      },
    };
  } catch (error) {
    await encoderSession.release();
    throw error;
  }
}

/** The pair that the runtime computes best: half precision where it can, else full. */
function choosePair(manifest: Manifest, runtime: Runtime): GraphPair {
  const wanted = runtime.activation === 'float16' ? ['float16', 'float32'] : ['float32'];
  for (const activation of wanted) {
    const pair = manifest.graphs.find((graphs) => graphs.activation === activation);
    if (pair !== undefined) return pair;
  }
  throw new AsrError('device-unavailable', `${manifest.name} (${manifest.profile}) needs half precision`);
}

function source(files: ModelFiles, manifest: Manifest, graph: GraphEntry, onDevice: string[]): SessionSource {
  const shards = graph.shards.map((path) => {
    const entry = manifest.shards.find((shard) => shard.path === path);
    assert(entry !== undefined, `the parsed manifest lists ${path}`);
    return fileOf(files, entry);
  });
  return { graph: fileOf(files, graph), shards, onDevice };
}

function fileOf(files: ModelFiles, entry: FileEntry): ModelFile {
  return files.file(entry.path, entry.bytes);
}

async function readJson(files: ModelFiles, entry: FileEntry): Promise<unknown> {
  const text = new TextDecoder().decode(await fileOf(files, entry).read());
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new AsrError('weights-corrupt', `${entry.path} is not JSON`, { cause });
  }
}
