// Any GLM-ASR config converts: odd heads, shared key/value heads, biases, tied and untied, every storage.

import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { convert } from '../../src/convert/convert.ts';
import type { Profile } from '../../src/model/manifest.ts';
import { distance, GraphRunner, promptFeeds } from '../fixtures/graph-runner.ts';
import { memoryCheckpoint, MemorySink } from '../fixtures/memory-checkpoint.ts';
import {
  promptOf,
  type RandomCase,
  randomCases,
  randomFiles,
  type Sample,
} from '../fixtures/random-checkpoints.ts';
import { seededFeatures } from '../fixtures/seeded-model.ts';

const TOLERANCE = 1e-4;

async function open(of: RandomCase, profile: Profile, limits = {}): Promise<GraphRunner> {
  const sink = new MemorySink();
  const manifest = await convert(memoryCheckpoint(randomFiles(of)), sink, {
    profile,
    name: of.name,
    signal: new AbortController().signal,
    ...limits,
  });
  return GraphRunner.open(ort, manifest, (path) => sink.file(path));
}

function expectSample(found: Float32Array, { first, last, std }: Sample): void {
  expect(distance(found.subarray(0, first.length), first)).toBeLessThan(TOLERANCE);
  expect(distance(found.subarray(-last.length), last)).toBeLessThan(TOLERANCE);
  const mean = found.reduce((sum, x) => sum + x, 0) / found.length;
  const variance = found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / found.length;
  expect(Math.abs(Math.sqrt(variance) - std)).toBeLessThan(TOLERANCE);
}

async function expectGoldens(runner: GraphRunner, of: RandomCase): Promise<void> {
  const prompt = promptOf(of);
  const { states, embeds } = await runner.encode(seededFeatures(of.frames, of.audio.num_mel_bins), 1);
  expectSample(states, of.states);
  expectSample(embeds, of.embeds);
  runner.reset();
  const feeds = promptFeeds(prompt);
  const length = feeds.index.length;
  const { logits } = await runner.decode({ ...feeds, audio: embeds, sel: [length - 1], lengths: [length] });
  expect(distance(logits, of.logits)).toBeLessThan(TOLERANCE);
  expect(await runner.greedy(prompt, embeds, of.greedy.length)).toEqual(of.greedy);
}

describe.each(randomCases())('$name', (of) => {
  test('gives the reference’s states, rows, logits and ids in fp32', async () => {
    const runner = await open(of, 'fp32');
    await expectGoldens(runner, of);
    await runner.release();
  });

  test('gives the same when every larger matrix is cut into pieces', async () => {
    const runner = await open(of, 'fp32', { maxWeightBytes: 12_000, maxShardBytes: 300_000 });
    await expectGoldens(runner, of);
    await runner.release();
  });
});
