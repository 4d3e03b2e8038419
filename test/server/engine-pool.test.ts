import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobEvent } from '../../src/server/jobs.ts';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import { CLIP, OTHER_CLIP, type TestApp, expectedText, openTestApp } from './test-server.ts';
import { joinText } from '../../src/text/join.ts';

let server: TestApp;
let texts: string[];
const OPTIONS = { ...DEFAULT_OPTIONS, maxNewTokens: 12 };

beforeAll(async () => {
  server = await openTestApp();
  texts = [
    await expectedText(CLIP, { maxNewTokens: 12 }),
    await expectedText(OTHER_CLIP, { maxNewTokens: 12 }),
  ];
});
afterAll(() => server.close());

function run(path: string, signal = new AbortController().signal): AsyncGenerator<JobEvent, void> {
  return server.parts.jobs.run({ asker: 'a', model: '', audio: { path }, options: OPTIONS }, signal);
}

async function textOf(events: AsyncIterable<JobEvent>): Promise<string> {
  const pieces: string[] = [];
  for await (const event of events) if (event.type === 'final') pieces.push(event.segment.text);
  return joinText(pieces);
}

async function enginePid(): Promise<number> {
  return (await server.parts.pool.loaded())[0]?.pid ?? 0;
}

test('many recordings at once share the engine, and nobody gets the answer of another', async () => {
  const paths = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? CLIP : OTHER_CLIP));
  const answers = await Promise.all(paths.map((path) => textOf(run(path))));
  expect(answers).toEqual(paths.map((path) => texts[path === CLIP ? 0 : 1]));
  expect(texts[0]).not.toBe(texts[1]);
});

test('an engine that is killed in the middle is started again, and the job is read once more', async () => {
  await textOf(run(CLIP));
  const before = await enginePid();
  const events = run(CLIP);
  expect((await events.next()).value).toEqual({ type: 'started' });
  const text = textOf(events);
  process.kill(before, 'SIGKILL');
  expect(await text).toBe(texts[0]);
  expect(await enginePid()).not.toBe(before);
  expect(await server.parts.metrics.registry.metrics()).toMatch(/sotto_engine_deaths_total 1/);
});

test('an engine that dies twice on a job is told as such', async () => {
  await textOf(run(CLIP));
  const blocks = (async function* () {
    yield { startSample: 0, samples: new Float32Array(16_000) };
    process.kill(await enginePid(), 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
    yield { startSample: 16_000, samples: new Float32Array(16_000) };
  })();
  // Audio that comes in as it is spoken cannot be read a second time.
  const job = { asker: 'a', model: '', audio: { blocks }, options: OPTIONS };
  await expect(textOf(server.parts.jobs.run(job, new AbortController().signal))).rejects.toMatchObject({
    code: 'engine-died',
  });
  expect(await textOf(run(CLIP))).toBe(texts[0]);
});

test('a client that leaves ends its job at once, and the engine goes on with the others', async () => {
  const stop = new AbortController();
  const left = run(CLIP, stop.signal);
  await left.next();
  const other = textOf(run(OTHER_CLIP));
  stop.abort();
  await expect(textOf(left)).rejects.toThrow();
  expect(await other).toBe(texts[1]);
  expect(server.parts.jobs.load).toEqual({ running: 0, waiting: 0 });
});

test('a stopped server finishes what is under way and refuses the rest', async () => {
  const under = textOf(run(CLIP));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const closing = server.parts.jobs.close(60_000);
  await expect(textOf(run(CLIP))).rejects.toMatchObject({ code: 'busy' });
  expect(await under).toBe(texts[0]);
  await closing;
  expect(await server.parts.pool.loaded()).toEqual([]);
});
