import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convert } from '../../src/convert/convert.ts';
import { MemorySink } from '../fixtures/memory-checkpoint.ts';
import { distance, GraphRunner, promptFeeds } from '../fixtures/graph-runner.ts';
import { expectLogProbs, expectSeededModel, seededAudioRows } from '../fixtures/seeded-goldens.ts';
import { SEEDED_GREEDY, SEEDED_PROMPT, seededCheckpoint, seededFeatures } from '../fixtures/seeded-model.ts';

describe('the seeded model in fp32 on the CPU provider', () => {
  let runner: GraphRunner;
  let audio: Float32Array;
  const feeds = promptFeeds(SEEDED_PROMPT);
  const promptLength = feeds.index.length;

  beforeAll(async () => {
    const sink = new MemorySink();
    const manifest = await convert(seededCheckpoint(), sink, {
      profile: 'fp32',
      name: 'seeded',
      signal: new AbortController().signal,
    });
    runner = await GraphRunner.open(ort, manifest, (path) => sink.file(path));
    audio = seededAudioRows(await runner.encode(seededFeatures(), 1));
  });

  afterAll(() => runner.release());

  test('gives the golden states, rows, logits and ids', () => expectSeededModel(runner));

  test('encodes several windows at once as it encodes each alone', async () => {
    const features = seededFeatures(800);
    const other = features.map((x) => -x);
    const both = await runner.encode(Float32Array.from([...features, ...other]), 2);
    const first = await runner.encode(features, 1);
    const second = await runner.encode(other, 1);
    expect(first.embeds.length).toBe(100 * 64);
    expect(distance(both.embeds, Float32Array.from([...first.embeds, ...second.embeds]))).toBeLessThan(1e-5);
  });

  test('predicts the same step by step, in one run over a draft, and from a cache of fixed length', async () => {
    const draft = SEEDED_GREEDY.slice(0, 5);
    runner.reset();
    await runner.decode({ ...feeds, audio, sel: [promptLength - 1], lengths: [promptLength] });
    const inOneRun = await runner.decode({
      ids: draft,
      index: draft.map((_, i) => i),
      sel: draft.map((_, i) => i),
      lengths: [promptLength + draft.length],
    });
    expect(inOneRun.ids).toEqual(SEEDED_GREEDY.slice(1, 6));

    runner.reset(1, 80);
    await runner.decode({ ...feeds, audio, sel: [promptLength - 1], lengths: [promptLength] });
    const stepped: number[] = [];
    for (const [i, id] of draft.entries()) {
      const step = await runner.decode({ ids: [id], index: [0], sel: [0], lengths: [promptLength + i + 1] });
      stepped.push(...step.logits);
      expectLogProbs(step);
    }
    expect(distance(stepped, inOneRun.logits)).toBeLessThan(1e-4);
  });

  test('forgets a rejected draft when the length goes back', async () => {
    runner.reset(1, 80);
    const index = [...feeds.index, ...[0, 1, 2]];
    await runner.decode({ ...feeds, index, audio, sel: [0], lengths: [promptLength + 3] });
    const step = await runner.decode({ ids: [113], index: [0], sel: [0], lengths: [promptLength + 1] });
    expect(step.ids).toEqual([194]);
  });

  test('reads a ragged batch as it reads each row alone', async () => {
    // Row 1 is shorter by 13 audio rows; pads repeat place 0.
    const short = { ...SEEDED_PROMPT, audioRows: 24 };
    const shortFeeds = promptFeeds(short);
    const shortLength = shortFeeds.index.length;
    const pads = Array<number>(promptLength - shortLength).fill(0);
    runner.reset(2);
    const both = await runner.decode({
      ...feeds,
      audio,
      index: [...feeds.index, ...shortFeeds.index, ...pads],
      sel: [promptLength - 1, promptLength + shortLength - 1],
      lengths: [promptLength, shortLength],
    });
    const next = await runner.decode({
      ids: both.ids,
      index: [0, 1],
      sel: [0, 1],
      lengths: [promptLength + 1, shortLength + 1],
    });
    expect([both.ids[0], next.ids[0]]).toEqual(SEEDED_GREEDY.slice(0, 2));
    expect([both.ids[1], next.ids[1]]).toEqual(await runner.greedy(short, audio, 2));
  });
});
