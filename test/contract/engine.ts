// What every engine promises, in place or in another thread. One suite, every implementation; it runs on
// the seeded model, whose text is nonsense but always the same.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AsrError } from '../../src/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { EXACT_OPTIONS, type TranscribeOptions, type TranscriptEvent } from '../../src/engine/events.ts';
import type { AudioBlock } from '../../src/signal/units.ts';

const OPTIONS: TranscribeOptions = { ...EXACT_OPTIONS, maxNewTokens: 12 };
const NEVER = new AbortController().signal;

/** Three seconds of a rising tone. */
export function tone(seconds = 3): Float32Array {
  return Float32Array.from({ length: seconds * 16_000 }, (_, n) => 0.3 * Math.sin((n * n) / 2e5));
}

async function* blocksOf(samples: Float32Array, blockSamples = 4096): AsyncGenerator<AudioBlock> {
  for (let at = 0; at < samples.length; at += blockSamples) {
    yield { startSample: at, samples: samples.slice(at, at + blockSamples) };
  }
}

async function eventsOf(
  engine: Engine,
  audio: AsyncIterable<AudioBlock>,
  signal = NEVER,
): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  for await (const event of engine.transcribe(audio, OPTIONS, signal)) {
    events.push(event.type === 'end' ? { ...event, timings: {} as never } : event);
  }
  return events;
}

/** Runs the suite on what `open` gives; `name` says which implementation it is. */
export function describeEngine(
  name: string,
  open: () => Promise<Engine>,
  expected: () => Promise<TranscriptEvent[]>,
): void {
  describe(`engine contract: ${name}`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.release());

    test('says which model on which device it is', () => {
      expect(engine.info.modelName).not.toBe('');
      expect(engine.info.provider).not.toBe('');
    });

    test('tells the same as every other engine on the same model', async () => {
      const events = await eventsOf(engine, blocksOf(tone()));
      expect(events.map(rounded)).toEqual((await expected()).map(rounded));
      expect(events.at(-1)).toMatchObject({ type: 'end', durationSeconds: 3 });
    });

    test('tells the same whatever the blocks', async () => {
      const [large, small] = [
        await eventsOf(engine, blocksOf(tone(), 48_000)),
        await eventsOf(engine, blocksOf(tone(), 700)),
      ];
      expect(small).toEqual(large);
    });

    test('reads nothing where there is nothing to read', async () => {
      expect((await eventsOf(engine, blocksOf(new Float32Array(0)))).at(-1)).toMatchObject({
        durationSeconds: 0,
      });
      expect(
        (await eventsOf(engine, blocksOf(new Float32Array(500)))).filter(({ type }) => type === 'final'),
      ).toEqual([]);
    });

    test('stops with an abort when the user has changed their mind, and can go on after that', async () => {
      const stop = new AbortController();
      const reading = (async () => {
        for await (const event of engine.transcribe(blocksOf(tone()), OPTIONS, stop.signal)) {
          if (event.type === 'partial') stop.abort();
        }
      })();
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
      expect((await eventsOf(engine, blocksOf(tone()))).at(-1)).toMatchObject({ type: 'end' });
    });

    test('does not begin when the user has changed their mind before', async () => {
      const stop = new AbortController();
      stop.abort();
      await expect(eventsOf(engine, blocksOf(tone()), stop.signal)).rejects.toMatchObject({
        name: 'AbortError',
      });
    });

    test('can be left in the middle', async () => {
      for await (const event of engine.transcribe(blocksOf(tone()), OPTIONS, NEVER)) {
        if (event.type === 'partial') break;
      }
      expect((await eventsOf(engine, blocksOf(tone()))).at(-1)).toMatchObject({ type: 'end' });
    });

    test('does one job after the other, in order', async () => {
      const order: string[] = [];
      const job = async (label: string): Promise<void> => {
        for await (const event of engine.transcribe(blocksOf(tone()), OPTIONS, NEVER))
          order.push(`${label} ${event.type}`);
      };
      await Promise.all([job('a'), job('b')]);
      expect(order.lastIndexOf('a end')).toBeLessThan(order.indexOf('b window'));
    });

    test("passes the audio's own failure on, with its code", async () => {
      const broken = async function* (): AsyncGenerator<AudioBlock> {
        yield* blocksOf(tone());
        throw new AsrError('audio-truncated', 'the file ends in the middle');
      };
      await expect(eventsOf(engine, broken())).rejects.toMatchObject({
        name: 'AsrError',
        code: 'audio-truncated',
        message: 'the file ends in the middle',
      });
    });

    test('refuses a clip beyond 30 seconds in exact mode, and says so', async () => {
      await expect(eventsOf(engine, blocksOf(tone(31)))).rejects.toMatchObject({ code: 'audio-too-long' });
    });

    test('lets go of the audio when it is done with it', async () => {
      let closed = false;
      const audio = async function* (): AsyncGenerator<AudioBlock> {
        try {
          yield* blocksOf(tone(31));
        } finally {
          closed = true;
        }
      };
      await expect(eventsOf(engine, audio())).rejects.toThrow();
      expect(closed).toBe(true);
    });
  });
}

/** Providers and threads round differently in the last digits. */
function rounded(event: TranscriptEvent): unknown {
  if (event.type !== 'final') return event;
  const { segment } = event;
  return {
    ...segment,
    meanLogProb: segment.meanLogProb.toFixed(3),
    tokens: segment.tokens.map(({ id, text }) => ({ id, text })),
  };
}
