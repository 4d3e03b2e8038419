import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Model } from '../../src/model/load.ts';
import type { Passage, ReadEvent, Reader } from '../../src/model/reader.ts';
import { RowSeats, WaveSeats } from '../../src/model/seats.ts';
import { SharedReader } from '../../src/model/shared-reader.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import type { Runtime } from '../../src/ports.ts';
import { loadInMemory } from '../fixtures/memory-model.ts';
import { SEEDED_PROMPT, seededCheckpoint, seededFeatures } from '../fixtures/seeded-model.ts';

const NEVER = new AbortController().signal;
const FRAMES = 800;

let runtime: Runtime;
let model: Model;

beforeAll(async () => {
  runtime = createNodeRuntime({ provider: 'cpu', threads: 1 });
  model = await loadInMemory(seededCheckpoint(), 'fp32', runtime);
});
afterAll(async () => {
  await model.release();
  await runtime.release();
});

/** A passage like no other: `seed` says how loud, `spans` where. */
function passage(seed: number, spans: Passage['spans']): Passage {
  const features = seededFeatures(FRAMES).map((x) => x * (1 + (seed % 7) / 10));
  return { features, frames: FRAMES, prompt: SEEDED_PROMPT, spans, loopGuard: seed % 2 === 0 };
}

async function idsOf(reader: Reader, asked: Passage, signal = NEVER): Promise<string[]> {
  const texts = asked.spans.map((): string[] => []);
  let work: ReadEvent | undefined;
  for await (const event of reader.read(asked, signal)) {
    if (event.type === 'work') work = event;
    else texts[event.sequence]!.push(event.type === 'token' ? String(event.id) : event.ending);
  }
  expect(work?.type).toBe('work');
  return texts.map((text) => text.join(' '));
}

const span = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 14 }))
  .map(([start, length, budget]) => ({ audioRows: [start, start + length] as const, budget }));
const passages = fc.array(fc.tuple(fc.nat(20), fc.array(span, { maxLength: 5 })), {
  minLength: 1,
  maxLength: 6,
});

const SEATS: [string, (seats: number) => RowSeats | WaveSeats][] = [
  ['rows of one cache', (seats) => new RowSeats(runtime, model.runs, model.manifest.cache, seats)],
  ['waves', (seats) => new WaveSeats(model.decoder, seats)],
];

describe.each(SEATS)('many askers at once, seated in %s', (_, seatsOf) => {
  test('each gets the ids that it would get alone, whoever else asks', async () => {
    await fc.assert(
      fc.asyncProperty(passages, fc.integer({ min: 2, max: 5 }), async (drawn, seats) => {
        const asked = drawn.map(([seed, spans]) => passage(seed, spans));
        const alone: string[][] = [];
        for (const one of asked) alone.push(await idsOf(model.reader, one));
        const shared = new SharedReader(model.encoder, seatsOf(seats), model.stopIds);
        expect(await Promise.all(asked.map((one) => idsOf(shared, one)))).toEqual(alone);
      }),
      { numRuns: 8 },
    );
  });

  test('who leaves or aborts does not disturb the others, and the seats serve again', async () => {
    const shared = new SharedReader(model.encoder, seatsOf(3), model.stopIds);
    const long = passage(1, [{ audioRows: [0, 37], budget: 40 }]);
    const alone = await idsOf(model.reader, long);
    const stop = new AbortController();
    const aborted = (async () => {
      for await (const event of shared.read(passage(2, [{ audioRows: [3, 20], budget: 40 }]), stop.signal)) {
        if (event.type === 'token') stop.abort();
      }
    })();
    const left = (async () => {
      for await (const event of shared.read(passage(3, [{ audioRows: [5, 30], budget: 40 }]), NEVER)) {
        if (event.type === 'token') return;
      }
    })();
    const [stayed] = await Promise.all([
      idsOf(shared, long),
      left,
      expect(aborted).rejects.toThrow(/abort/i),
    ]);
    expect(stayed).toEqual(alone);
    expect(await idsOf(shared, long)).toEqual(alone);
  });

  test('decodes many askers in far fewer runs than one after the other', async () => {
    const asked = Array.from({ length: 4 }, (_, i) => passage(1, [{ audioRows: [i, i + 20], budget: 20 }]));
    const runsBefore = model.runs.work.runs;
    const shared = new SharedReader(model.encoder, seatsOf(4), model.stopIds);
    await Promise.all(asked.map((one) => idsOf(shared, one)));
    expect(model.runs.work.runs - runsBefore).toBeLessThan(40); // alone: 80
  });
});

test('a failing device fails every asker, and the next one gets a new try', async () => {
  let broken = true;
  const seats = new RowSeats(runtime, model.runs, model.manifest.cache, 2);
  const admit = seats.admit.bind(seats);
  seats.admit = async (...args) => {
    if (broken) throw new Error('the device is gone');
    return admit(...args);
  };
  const shared = new SharedReader(model.encoder, seats, model.stopIds);
  const one = passage(1, [{ audioRows: [0, 37], budget: 5 }]);
  for (const reading of await Promise.allSettled([idsOf(shared, one), idsOf(shared, one)])) {
    expect(reading).toMatchObject({ status: 'rejected', reason: { message: 'the device is gone' } });
  }
  broken = false;
  expect(await idsOf(shared, one)).toEqual(await idsOf(model.reader, one));
});
