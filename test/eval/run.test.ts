import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AsrError } from '../../src/errors.ts';
import type { Clip } from '../../src/eval/clips.ts';
import { parseEngineSpec } from '../../src/eval/engines/engine-spec.ts';
import type { EngineFacts, EvalEngine } from '../../src/eval/engines/eval-engine.ts';
import { ResultFolder } from '../../src/eval/results.ts';
import { type EngineOpener, type RunEvent, runEvaluation } from '../../src/eval/run.ts';
import { to16Bit, wavBytes } from '../../src/eval/wav-bytes.ts';

const FACTS: EngineFacts = { model: 'm', device: 'd', streams: 'no', limits: [], inThisProcess: true };
const NEVER = new AbortController().signal;
const spec = parseEngineSpec('sotto,name=Engine: 1');

let folder = '';
let clips: Clip[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-run-'));
  clips = ['a', 'b', 'c'].map((id, i) => {
    const path = join(folder, `${id}.wav`);
    const tone = Float32Array.from({ length: 1600 * (i + 1) }, (_, n) => 0.1 * Math.sin(n / 5));
    writeFileSync(path, wavBytes(to16Bit(tone), 16_000));
    return { id, path, text: id, language: 'en', whispered: false, scene: 'recorded' };
  });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An engine that says which clip it was given, and a diary of what happened to it. */
function opener(
  transcribe: EvalEngine['transcribe'],
  mark = () => 'weights 1',
): EngineOpener & { diary: string[] } {
  const diary: string[] = [];
  return {
    diary,
    open: () => {
      diary.push('open');
      return Promise.resolve({
        facts: FACTS,
        transcribe: (audio, signal) => {
          diary.push(audio.id);
          return transcribe(audio, signal);
        },
        close: () => Promise.resolve(void diary.push('close')),
      });
    },
    engineMark: () => Promise.resolve(mark()),
  };
}

const says =
  (text: string): EvalEngine['transcribe'] =>
  () =>
    Promise.resolve({ text });

async function run(engine: EngineOpener, signal = NEVER, language = 'en'): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const told = clips.map((clip) => ({ ...clip, language }));
  const results = new ResultFolder(join(folder, 'results'));
  for await (const event of runEvaluation(told, [spec], engine, results, signal)) events.push(event);
  return events;
}

const stored = (id: string): ReturnType<ResultFolder['clip']> =>
  new ResultFolder(join(folder, 'results')).clip(spec.name, id);

test('every clip is read once, after a first reading that does not count', async () => {
  const engine = opener(({ id }) => Promise.resolve({ text: id.toUpperCase(), firstTextMs: 1 }));
  const events = await run(engine);
  expect(engine.diary).toEqual(['open', 'a', 'a', 'b', 'c', 'close']);
  expect(events.map((event) => ('finished' in event ? event.finished : event))).toEqual([0, 1, 2, 3]);
  expect(await stored('b')).toMatchObject({ text: 'B', seconds: 0.2, firstTextMs: 1 });
  expect((await stored('b'))!.activeDbfs).toBeCloseTo(-22.5, 0);
  expect((await stored('b'))!.latencyMs).toBeGreaterThan(0);
});

test('an engine’s run is stored with its facts and its memory', async () => {
  await run(opener(says('x')));
  const result = await new ResultFolder(join(folder, 'results')).run(spec.name);
  expect(result).toMatchObject({ name: 'Engine: 1', facts: FACTS });
  expect(result!.peakMemoryBytes).toBeGreaterThan(2e7);
  expect(Date.parse(result!.endedAt)).toBeGreaterThan(0);
});

describe('resume', () => {
  test('what is finished is not read again, and the engine not even opened', async () => {
    await run(opener(says('x')));
    const again = opener(says('y'));
    expect(await run(again)).toEqual([{ type: 'engine', name: spec.name, finished: 3, total: 3 }]);
    expect(again.diary).toEqual([]);
    expect((await stored('a'))!.text).toBe('x');
  });

  test('stopping keeps what is done; the next run goes on there', async () => {
    const stop = new AbortController();
    const stopping = opener((audio) => {
      if (audio.id === 'b') stop.abort();
      return Promise.resolve({ text: 'x' });
    });
    await expect(run(stopping, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(stopping.diary.at(-1)).toBe('close');
    const next = opener(says('y'));
    await run(next);
    expect(next.diary.filter((entry) => entry === 'a')).toEqual([]);
    expect(next.diary).toContain('c');
  });

  test.each<[string, (before: () => Promise<unknown>) => Promise<EngineOpener & { diary: string[] }>]>([
    [
      'another recording',
      async () => {
        writeFileSync(
          clips[0]!.path,
          wavBytes(
            Int16Array.from({ length: 999 }, (_, i) => i),
            16_000,
          ),
        );
        return opener(says('y'));
      },
    ],
    ['other weights', async () => opener(says('y'), () => 'weights 2')],
  ])('%s is read again', async (_, change) => {
    await run(opener(says('x')));
    const engine = await change(() => Promise.resolve());
    await run(engine);
    expect((await stored('a'))!.text).toBe('y');
  });

  test('another language is read again', async () => {
    await run(opener(says('x')));
    await run(opener(says('y')), NEVER, 'zh');
    expect((await stored('a'))!.text).toBe('y');
  });

  test('a half-written result is read again', async () => {
    await run(opener(says('x')));
    const results = join(folder, 'results');
    const file = readdirSync(results, { recursive: true, encoding: 'utf8' }).find((name) =>
      name.endsWith('a.json'),
    )!;
    writeFileSync(join(results, file), readFileSync(join(results, file)).subarray(0, 20));
    await run(opener(says('y')));
    expect((await stored('a'))!.text).toBe('y');
    expect((await stored('b'))!.text).toBe('x');
  });
});

describe('failures', () => {
  test('a clip that fails is told, counts as unread, and is tried again', async () => {
    const failing = opener(({ id }) =>
      id === 'b'
        ? Promise.reject(new AsrError('endpoint-refused', 'too long'))
        : Promise.resolve({ text: id }),
    );
    const events = await run(failing);
    expect(events).toContainEqual({ type: 'failed', name: spec.name, clip: 'b', why: 'too long' });
    expect(await stored('b')).toMatchObject({ text: '', failed: 'too long' });
    expect((await stored('c'))!.text).toBe('c');
    await run(opener(says('better')));
    expect(await stored('b')).toMatchObject({ text: 'better' });
    expect((await stored('a'))!.text).toBe('a');
  });

  test('a bug in an engine fails the clip, not the evaluation', async () => {
    await run(
      opener(({ id }) =>
        id === 'a' ? Promise.reject(new TypeError('x is undefined')) : says('y')(null!, NEVER),
      ),
    );
    expect(await stored('a')).toMatchObject({ failed: 'x is undefined' });
    expect(await stored('c')).toMatchObject({ text: 'y' });
  });

  test('an endpoint that is gone ends its engine’s run, not the evaluation', async () => {
    let calls = 0;
    const going = opener(() =>
      ++calls > 2
        ? Promise.reject(new AsrError('source-unreachable', 'gone'))
        : Promise.resolve({ text: 'x' }),
    );
    const events = await run(going);
    expect(events.at(-1)).toEqual({ type: 'failed', name: spec.name, why: 'gone' });
    expect(going.diary).toEqual(['open', 'a', 'a', 'b', 'close']);
    const result = await new ResultFolder(join(folder, 'results')).run(spec.name);
    expect(result).toMatchObject({ failed: 'gone', facts: FACTS });
  });

  test('an engine that cannot be opened says why', async () => {
    const closed: EngineOpener = {
      open: () => Promise.reject(new AsrError('package-missing', 'install it')),
      engineMark: () => Promise.resolve(''),
    };
    expect(await run(closed)).toContainEqual({ type: 'failed', name: spec.name, why: 'install it' });
  });
});

test('names that a file system would not take, or take for one another, are kept apart', async () => {
  const results = new ResultFolder(join(folder, 'results'));
  const result = { id: 'a/../b', key: 'k', seconds: 1, text: 'one', latencyMs: 1 };
  await results.putClip('x', result);
  await results.putClip('x', { ...result, id: 'a:..:b', text: 'two' });
  expect((await results.clip('x', 'a/../b'))!.text).toBe('one');
  expect((await results.clip('x', 'a:..:b'))!.text).toBe('two');
  expect(readdirSync(join(folder, 'results', 'x', 'clips'))).toHaveLength(2);
});
