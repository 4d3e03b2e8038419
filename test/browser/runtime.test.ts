import { describe, expect, test } from 'vitest';
import { generate } from '../../src/model/generate.ts';
import { createWebRuntime, type WebRuntimeOptions } from '../../src/platform/web/ort.ts';
import { loadInMemory } from '../fixtures/memory-model.ts';
import { SEEDED_GREEDY, SEEDED_PROMPT, seededCheckpoint, seededFeatures } from '../fixtures/seeded-model.ts';

const RUNTIMES: [string, WebRuntimeOptions][] = [
  ['WASM, one thread', { provider: 'wasm', threads: 1 }],
  ['WASM, two threads', { provider: 'wasm', threads: 2 }],
  // The software adapter computes attention wrongly with subgroups; see ARCHITECTURE.md.
  ['WebGPU', { provider: 'webgpu', halfPrecision: true, subgroups: false }],
];

test('the page is isolated, so that WASM may use threads', () => {
  expect(crossOriginIsolated).toBe(true);
});

describe.each(RUNTIMES)('the seeded model on %s', (_, options) => {
  test('gives the twelve golden ids, alone, with a draft and side by side', async () => {
    const runtime = await createWebRuntime(options);
    const model = await loadInMemory(seededCheckpoint(), 'fp32', runtime);
    const audio = await model.encoder.encode(seededFeatures(), 1, 3000);
    const whole = { prompt: SEEDED_PROMPT, audioRows: [0, 37] as const };
    const part = { prompt: SEEDED_PROMPT, audioRows: [5, 20] as const };
    const read = async (sequences: (typeof whole)[], draft?: number[]): Promise<number[][]> => {
      const ids: number[][] = sequences.map(() => []);
      const settings = { stopIds: new Set([299]), budgets: sequences.map(() => 12), loopGuard: false };
      const signal = new AbortController().signal;
      for await (const event of generate(
        model.decoder,
        sequences,
        audio,
        { ...settings, ...(draft && { draft }) },
        signal,
      )) {
        if (event.type === 'token') ids[event.sequence]?.push(event.id);
      }
      return ids;
    };
    expect(await read([whole])).toEqual([SEEDED_GREEDY]);
    expect(await read([whole], [...SEEDED_GREEDY.slice(0, 4), 5, 6])).toEqual([SEEDED_GREEDY]);
    const [alone] = await read([part as never]);
    expect(await read([whole, part as never])).toEqual([SEEDED_GREEDY, alone]);
    audio.dispose();
    await model.release();
    await runtime.release();
  });
});
