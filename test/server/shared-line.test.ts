// Servers that share one line on Redis. Debian: apt-get install redis-server.

import { readFile, rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { GivenSettings } from '../../src/server/config.ts';
import type { TranscriptEvent } from '../../src/engine/events.ts';
import { joinText } from '../../src/text/join.ts';
import { ended, serverProcess } from './processes.ts';
import { REDIS_MISSING, type TestRedis, startRedis } from './redis.ts';
import {
  CLIP,
  OTHER_CLIP,
  type TestApp,
  expectedText,
  formOf,
  openTestApp,
  testPlaces,
} from './test-server.ts';

const SHORT = { max_new_tokens: '8' };

describe.skipIf(REDIS_MISSING)('servers that share a line (needs redis-server)', () => {
  let redis: TestRedis;
  let text: string;
  let otherText: string;
  const open: TestApp[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    text = await expectedText(CLIP, { maxNewTokens: 8 });
    otherText = await expectedText(OTHER_CLIP, { maxNewTokens: 8 });
  });
  afterAll(() => redis.stop());
  afterEach(async () => {
    await Promise.all(open.splice(0).map((app) => app.close()));
  });

  async function server(queue: string, settings: GivenSettings = {}): Promise<TestApp> {
    const app = await openTestApp({ queue, ...settings });
    open.push(app);
    return app;
  }

  async function send(app: TestApp, path = CLIP, init: RequestInit = {}): Promise<Response> {
    const body = await formOf(path, SHORT);
    return app.ask('/v1/audio/transcriptions', { method: 'POST', body, ...init });
  }

  async function health(app: TestApp): Promise<{ sharedLine: object; running: number }> {
    return (await app.ask('/healthz')).json() as Promise<{ sharedLine: object; running: number }>;
  }

  test('one takes recordings in, the other reads them, and each client gets its own answer', async () => {
    const address = redis.address();
    const front = await server(address, { take: 0 });
    await server(address);
    const paths = [CLIP, OTHER_CLIP, CLIP, OTHER_CLIP, OTHER_CLIP];
    const answers = await Promise.all(
      paths.map(async (path) => ((await (await send(front, path)).json()) as { text: string }).text),
    );
    expect(answers).toEqual(paths.map((path) => (path === CLIP ? text : otherText)));
    expect(await front.parts.pool.loaded()).toEqual([]);
    expect((await health(front)).sharedLine).toEqual({ waiting: 0, running: 0, dead: 0 });
  });

  test('a recording that cannot be read is refused as by a single server, and is no dead letter', async () => {
    const app = await server(redis.address());
    const form = new FormData();
    form.append('file', new Blob(['This is not a recording. '.repeat(40)]), 'a.wav');
    const response = await app.ask('/v1/audio/transcriptions', { method: 'POST', body: form });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ error: { code: 'audio_unsupported', param: null } });
    expect((await health(app)).sharedLine).toMatchObject({ dead: 0 });
  });

  test('a full line refuses with 503 and says when to come back', async () => {
    const app = await server(redis.address(), { take: 0, waiting: 1 });
    const stop = new AbortController();
    const first = send(app, CLIP, { signal: stop.signal }).catch(() => undefined);
    while ((await app.parts.jobs.sharedLine?.counts())?.waiting !== 1) await pause();
    const second = await send(app);
    expect(second.status).toBe(503);
    expect(Number(second.headers.get('Retry-After'))).toBeGreaterThan(0);
    stop.abort();
    await first;
    // Who leaves takes its recording along.
    while ((await app.parts.jobs.sharedLine?.counts())?.waiting !== 0) await pause();
    expect(await app.parts.uploads.count()).toBe(0);
  });

  test('who leaves while another server reads stops that server', async () => {
    const address = redis.address();
    const front = await server(address, { take: 0 });
    const back = await server(address);
    const stop = new AbortController();
    const body = await formOf(CLIP);
    const asked = front.ask('/v1/audio/transcriptions', { method: 'POST', body, signal: stop.signal });
    while ((await back.parts.uploads.count()) !== 1) await pause();
    stop.abort();
    await asked.catch(() => undefined);
    while ((await back.parts.uploads.count()) !== 0) await pause();
    while ((await back.parts.jobs.sharedLine?.counts())?.running !== 0) await pause();
  });

  test('a server that is stopped hands its work back, and the next one finishes it', async () => {
    const address = redis.address();
    const front = await server(address, { take: 0 });
    const leaving = await openTestApp({ queue: address });
    const answer = send(front);
    while ((await leaving.parts.uploads.count()) !== 1) await pause();
    await leaving.close();
    await server(address);
    expect(((await (await answer).json()) as { text: string }).text).toBe(text);
  });

  test('without Redis a server does not start, and one that loses it says 503', async () => {
    await expect(openTestApp({ queue: 'redis://127.0.0.1:9' })).rejects.toMatchObject({
      code: 'queue-unreachable',
    });
    const own = await startRedis();
    const app = await server(own.address());
    await own.stop();
    const response = await send(app);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 'queue_unreachable' } });
    expect(await app.parts.uploads.count()).toBe(0);
  });

  test('of two server processes one is killed in the middle, and every job is answered once', async () => {
    const address = redis.address();
    const places = await testPlaces();
    const settings = { port: 0, queue: address, threads: 1, warmUp: true };
    const [front, doomed] = await Promise.all([
      serverProcess(places, { ...settings, take: 1 }),
      serverProcess(places, { ...settings, take: 4 }),
    ]);
    let begun = 0;
    let ended_ = 0;
    const jobs = Array.from({ length: 8 }, async (_, i) => {
      const recording = await readFile(i % 2 === 0 ? CLIP : OTHER_CLIP);
      const url = `${front.url}/api/transcribe?max_new_tokens=8`;
      const response = await fetch(url, { method: 'PUT', body: recording });
      const events: TranscriptEvent[] = [];
      for await (const event of linesOf(response)) {
        events.push(event);
        if ((event.type as string) === 'started') begun++;
        if (event.type === 'end') ended_++;
      }
      return events;
    });
    // The other server reads at most one of them.
    while (begun - ended_ < 3) await pause();
    await ended(doomed.child, 'SIGKILL');
    const answers = await Promise.all(jobs);
    answers.forEach((events, i) => {
      const finals = events.flatMap((event) => (event.type === 'final' ? [event.segment.text] : []));
      expect(joinText(finals)).toBe(i % 2 === 0 ? text : otherText);
      expect(events.filter(({ type }) => type === 'end')).toHaveLength(1);
      expect(events.filter(({ type }) => (type as string) === 'started')).toHaveLength(1);
    });
    const { sharedLine } = (await (await fetch(`${front.url}/healthz`)).json()) as { sharedLine: object };
    expect(sharedLine).toEqual({ waiting: 0, running: 0, dead: 0 });
    await ended(front.child);
    await rm(places.folder, { recursive: true });
  });
});

async function* linesOf(response: Response): AsyncGenerator<TranscriptEvent> {
  let rest = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as TranscriptEvent;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
