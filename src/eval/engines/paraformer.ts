// Paraformer through the npm package sherpa-onnx (WebAssembly), from a folder as that project publishes it.
//
// The package is loaded only when this engine is asked for, and is not installed with Sotto:
//   npm install --no-save sherpa-onnx
//
// Why WebAssembly and not sherpa-onnx-node: that one brings an ONNX Runtime library of its own, of the same
// name as ours and another version, and both cannot live in one process.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AsrError } from '../../errors.ts';
import { SAMPLE_RATE } from '../../signal/units.ts';
import { type EngineSpec, required } from './engine-spec.ts';
import type { EvalEngine } from './eval-engine.ts';

const PACKAGE = 'sherpa-onnx';
const MODEL_FILES = ['model.int8.onnx', 'model.onnx'];

/** The part of sherpa-onnx that is used here. */
interface Sherpa {
  readonly version?: string;
  createOfflineRecognizer(config: unknown): Recognizer;
}

interface Recognizer {
  createStream(): Stream;
  decode(stream: Stream): void;
  getResult(stream: Stream): { readonly text: string };
  free(): void;
}

interface Stream {
  acceptWaveform(sampleRate: number, samples: Float32Array): void;
  free(): void;
}

/** Fails with `package-missing`, or with `model-not-found` where the folder lacks a file. */
export async function openParaformer(spec: EngineSpec): Promise<EvalEngine> {
  const dir = required(spec, 'dir');
  const model = MODEL_FILES.map((name) => join(dir, name)).find(existsSync);
  const tokens = join(dir, 'tokens.txt');
  if (model === undefined || !existsSync(tokens)) {
    throw new AsrError('model-not-found', `${dir} lacks tokens.txt, or one of ${MODEL_FILES.join(', ')}`);
  }
  const sherpa = await loadSherpa();
  const recognizer = sherpa.createOfflineRecognizer({
    featConfig: { sampleRate: SAMPLE_RATE, featureDim: 80 },
    modelConfig: { paraformer: { model }, tokens, numThreads: 1, provider: 'cpu', debug: 0 },
    decodingMethod: 'greedy_search',
  });
  return {
    facts: {
      model: `Paraformer (${model.includes('int8') ? 'int8' : 'fp32'})`,
      device: `cpu, ${PACKAGE} (WebAssembly, one thread)`,
      streams: 'no',
      limits: ['WebAssembly on one thread: slower than its native build', 'cannot be told the language'],
      inThisProcess: true,
    },
    transcribe: ({ samples }, signal) => {
      signal.throwIfAborted();
      return Promise.resolve({ text: read(recognizer, samples) });
    },
    close: () => {
      recognizer.free();
      return Promise.resolve();
    },
  };
}

async function loadSherpa(): Promise<Sherpa> {
  try {
    // Named by a variable, so that neither the compiler nor the bundler asks for a package that may not be there.
    const loaded = (await import(/* @vite-ignore */ PACKAGE)) as { readonly default: Sherpa };
    return loaded.default;
  } catch (cause) {
    throw new AsrError('package-missing', `Paraformer needs \`npm install --no-save ${PACKAGE}\``, { cause });
  }
}

function read(recognizer: Recognizer, samples: Float32Array): string {
  const stream = recognizer.createStream();
  try {
    stream.acceptWaveform(SAMPLE_RATE, samples);
    recognizer.decode(stream);
    return recognizer.getResult(stream).text.trim();
  } finally {
    stream.free();
  }
}
