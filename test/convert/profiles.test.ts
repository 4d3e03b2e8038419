// Quantised profiles: the graphs compute what the reference computes on the weights that the profile stored,
// so what is left of a difference is the kernels'; and the difference to the unquantised model stays in bounds.

import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { convert, type ConvertOptions } from '../../src/convert/convert.ts';
import type { ModelConfig } from '../../src/model/config.ts';
import type { Profile } from '../../src/model/manifest.ts';
import {
  type DecoderRun,
  distance,
  type EncoderRun,
  GraphRunner,
  promptFeeds,
} from '../fixtures/graph-runner.ts';
import { memoryCheckpoint, MemorySink } from '../fixtures/memory-checkpoint.ts';
import {
  promptOf,
  type RandomCase,
  randomCases,
  randomFiles,
  randomWeights,
} from '../fixtures/random-checkpoints.ts';
import { seededFeatures } from '../fixtures/seeded-model.ts';
import { storedTensor, throughActivation } from '../fixtures/stored-weights.ts';
import { decode, embed, encode, type Weights } from '../reference/forward.ts';
import { row, rowsOf, stack } from '../reference/matrix.ts';

/** Heads that need no padding, so that the blocks of the stored tensors are those of the checkpoint's. */
const CASES = randomCases().filter(({ name }) => /official proportions|one wide head/.test(name));

interface Run {
  readonly encoder: EncoderRun;
  readonly decoder: DecoderRun;
}

async function run(
  of: RandomCase,
  profile: Profile,
  activation: 'float32' | 'float16',
  more: Partial<ConvertOptions> = {},
): Promise<Run> {
  const sink = new MemorySink();
  const manifest = await convert(memoryCheckpoint(randomFiles(of)), sink, {
    ...{ profile, name: of.name, signal: new AbortController().signal, accuracyLevel: 0, ...more },
  });
  // On x86 without VNNI the integer kernels would saturate; MODEL.md, "int8".
  const options = { extra: { session: { x64quantprecision: '1' } } };
  const runner = await GraphRunner.open(ort, manifest, (path) => sink.file(path), options, activation);
  const encoder = await runner.encode(seededFeatures(of.frames, of.audio.num_mel_bins), 1);
  const feeds = promptFeeds(promptOf(of));
  const length = feeds.index.length;
  runner.reset();
  const audio = encoder.embeds;
  const decoder = await runner.decode({ ...feeds, audio, sel: [length - 1], lengths: [length] });
  await runner.release();
  return { encoder, decoder };
}

/** The reference on the weights that a profile stored. */
function reference(of: RandomCase, profile: Profile): { states: Float32Array; logits: Float32Array } {
  const { config, tensor } = randomWeights(of);
  const weights: Weights = {
    tensor: (name) => {
      const values = tensor(name);
      return values && storedTensor(profile, name, values, columnsOf(config, name, values));
    },
    ...(profile === 'int8' && { seenRow: throughActivation }),
  };
  const features = {
    rows: config.audio.melBins,
    columns: of.frames,
    data: seededFeatures(of.frames, config.audio.melBins),
  };
  const { states, embeds } = encode(config, weights, features);
  const { prefix, suffix, audioRows } = promptOf(of);
  const rows = [
    ...rowsOf(embed(config, weights, prefix)),
    ...rowsOf(embeds).slice(0, audioRows),
    ...rowsOf(embed(config, weights, suffix)),
  ];
  const logits = decode(config, weights, stack(rows, embeds.columns));
  return { states: states.data, logits: row(logits, logits.rows - 1) };
}

/** Width of a matrix product's input; only asked of matrices. */
function columnsOf({ audio, text }: ModelConfig, name: string, values: Float32Array): number {
  if (name.includes('linear_1')) return audio.intermediateSize;
  if (name.includes('linear_2')) return 2 * text.hiddenSize;
  const tower = name.startsWith('audio_tower') ? audio : text;
  if (name.includes('o_proj')) return tower.heads * tower.headDim;
  if (/fc2|down_proj/.test(name)) return tower.intermediateSize;
  return /weight$/.test(name) && values.length > tower.hiddenSize ? tower.hiddenSize : 1;
}

describe.each(CASES)('$name', (of) => {
  test.each([
    // What the kernels may differ by. int8: an activation next to a tie falls to either side, and in a model this
    // small one step is felt to the end (saturating kernels would be off by 1).
    { profile: 'fp16', tolerance: 1e-4, quantisation: 0.02 },
    { profile: 'q8q4', tolerance: 1e-4, quantisation: 1.2 },
    { profile: 'int8', tolerance: 0.15, quantisation: 0.3 },
  ] as const)(
    '$profile computes what the reference computes on its weights',
    async ({ profile, tolerance, quantisation }) => {
      const { encoder, decoder } = await run(of, profile, 'float32');
      const expected = reference(of, profile);
      const kernels = [distance(encoder.states, expected.states), distance(decoder.logits, expected.logits)];
      expect(Math.max(...kernels)).toBeLessThan(tolerance);
      expect(distance(decoder.logits, of.logits)).toBeLessThan(quantisation);
    },
  );

  test.each(['fp16', 'q8q4'] as const)(
    '%s in half precision stays close to itself in full precision',
    async (profile) => {
      const full = await run(of, profile, 'float32');
      const half = await run(of, profile, 'float16');
      expect(distance(half.encoder.states, full.encoder.states)).toBeLessThan(0.02);
      expect(distance(half.decoder.logits, full.decoder.logits)).toBeLessThan(0.05);
    },
  );
});
