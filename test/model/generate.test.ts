import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sequence } from '../../src/model/decoder-runs.ts';
import type { AudioEmbeds } from '../../src/model/encoder.ts';
import { type GenerateOptions, generate } from '../../src/model/generate.ts';
import type { Model } from '../../src/model/load.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import type { Runtime } from '../../src/ports.ts';
import { loadInMemory } from '../fixtures/memory-model.ts';
import { SEEDED_GREEDY, SEEDED_PROMPT, seededCheckpoint, seededFeatures } from '../fixtures/seeded-model.ts';

const SEQUENCE = { prompt: SEEDED_PROMPT, audioRows: [0, SEEDED_PROMPT.audioRows] as const };
const NEVER = new AbortController().signal;
const OPTIONS: GenerateOptions = { stopIds: new Set([299]), budgets: [12], loopGuard: false };

async function idsOf(
  model: Model,
  audio: AudioEmbeds,
  options: GenerateOptions,
  sequences: readonly Sequence[] = [SEQUENCE],
): Promise<number[][]> {
  const ids: number[][] = sequences.map(() => []);
  for await (const event of generate(model.decoder, sequences, audio, options, NEVER)) {
    if (event.type === 'token') ids[event.sequence]!.push(event.id);
  }
  return ids;
}

// The same arithmetic with the cache kept in the three ways that providers need.
const CACHES: Runtime['cache'][] = ['shared', 'fixed', 'growing'];

describe.each(CACHES)('greedy decoding of the seeded model, %s cache', (cache) => {
  let runtime: Runtime;
  let model: Model;
  let audio: AudioEmbeds;

  beforeAll(async () => {
    runtime = { ...createNodeRuntime({ provider: 'cpu', threads: 1 }), cache };
    model = await loadInMemory(seededCheckpoint(), 'fp32', runtime);
    audio = await model.encoder.encode(seededFeatures(), 1, 3000);
  });
  afterAll(async () => {
    audio.dispose();
    await model.release();
    await runtime.release();
  });

  test('gives the twelve golden ids', async () => {
    expect(await idsOf(model, audio, OPTIONS)).toEqual([SEEDED_GREEDY]);
  });

  test('gives them again, although the cache holds what went before', async () => {
    await idsOf(model, audio, { ...OPTIONS, budgets: [40] });
    expect(await idsOf(model, audio, OPTIONS)).toEqual([SEEDED_GREEDY]);
  });

  test('gives the same ids with any draft, right, wrong or half right', async () => {
    const drafts = [
      SEEDED_GREEDY,
      SEEDED_GREEDY.slice(0, 1),
      SEEDED_GREEDY.slice(0, 7),
      [...SEEDED_GREEDY.slice(0, 4), 5, 6, 7],
      [5, 6, 7],
      [...SEEDED_GREEDY, 112, 112, 112],
      [113, 299, 112],
    ];
    for (const draft of drafts)
      expect(await idsOf(model, audio, { ...OPTIONS, draft }), `${draft}`).toEqual([SEEDED_GREEDY]);
  });

  test('a right draft is read in one run', async () => {
    const runsBefore = model.decoder.work.runs;
    await idsOf(model, audio, { ...OPTIONS, draft: SEEDED_GREEDY.slice(0, 11) });
    expect(model.decoder.work.runs - runsBefore).toBe(1);
  });

  test('pays for no run after the last id', async () => {
    const runsBefore = model.decoder.work.runs;
    await idsOf(model, audio, OPTIONS);
    expect(model.decoder.work.runs - runsBefore).toBe(12);
  });

  test('reads several sequences side by side as it reads each alone', async () => {
    const sequences = [
      SEQUENCE,
      { prompt: SEEDED_PROMPT, audioRows: [5, 20] as const },
      { prompt: SEEDED_PROMPT, audioRows: [100, 160] as const },
    ];
    const budgets = [12, 3, 20];
    const alone: number[][] = [];
    for (const [i, sequence] of sequences.entries()) {
      alone.push(...(await idsOf(model, audio, { ...OPTIONS, budgets: [budgets[i]!] }, [sequence])));
    }
    expect(await idsOf(model, audio, { ...OPTIONS, budgets }, sequences)).toEqual(alone);
    expect(alone.map((ids) => ids.length)).toEqual(budgets);
  });
});

describe('how a text ends', () => {
  let runtime: Runtime;
  let model: Model;
  let audio: AudioEmbeds;

  beforeAll(async () => {
    runtime = createNodeRuntime({ provider: 'cpu', threads: 1 });
    model = await loadInMemory(seededCheckpoint(), 'fp32', runtime);
    audio = await model.encoder.encode(seededFeatures(), 1, 3000);
  });
  afterAll(async () => {
    audio.dispose();
    await model.release();
    await runtime.release();
  });

  async function endingOf(options: GenerateOptions): Promise<{ ids: number; ending: string | undefined }> {
    let ids = 0;
    for await (const event of generate(model.decoder, [SEQUENCE], audio, options, NEVER)) {
      if (event.type === 'end') return { ids, ending: event.ending };
      ids++;
    }
    return { ids, ending: undefined };
  }

  test('at any of the stop ids, which is not part of the text', async () => {
    expect(await endingOf({ ...OPTIONS, stopIds: new Set([299, 112, 88]) })).toEqual({
      ids: 2,
      ending: 'stop',
    });
  });

  test('when the budget is used up', async () => {
    expect(await endingOf({ ...OPTIONS, budgets: [5] })).toEqual({ ids: 5, ending: 'budget' });
    expect(await endingOf({ ...OPTIONS, budgets: [0] })).toEqual({ ids: 0, ending: 'budget' });
  });

  test('when it goes in circles, if that is watched for', async () => {
    const { ids, ending } = await endingOf({ ...OPTIONS, budgets: [200], loopGuard: true });
    expect(ending).toBe('loop');
    expect(ids).toBeLessThan(100);
    expect((await endingOf({ ...OPTIONS, budgets: [200] })).ending).toBe('budget');
  });

  test('within one run when the user stops it', async () => {
    const stop = new AbortController();
    const runsBefore = model.decoder.work.runs;
    const read = async (): Promise<void> => {
      for await (const event of generate(
        model.decoder,
        [SEQUENCE],
        audio,
        { ...OPTIONS, budgets: [500] },
        stop.signal,
      )) {
        if (event.type === 'token') stop.abort();
      }
    };
    await expect(read()).rejects.toThrow(/abort/i);
    expect(model.decoder.work.runs - runsBefore).toBe(1);
  });
});
