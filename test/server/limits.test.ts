// What ends or refuses a job, and what ends a server: time, room, idleness, a signal; and TLS.

import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import { readSamples } from '../../src/eval/read-audio.ts';
import { to16Bit, wavBytes } from '../../src/eval/wav-bytes.ts';
import type { AudioBlock } from '../../src/signal/units.ts';
import { serverProcess } from './processes.ts';
import {
  CLIP,
  type TestApp,
  expectedText,
  formOf,
  openTestApp,
  openTestServer,
  testPlaces,
} from './test-server.ts';

const SHORT = { max_new_tokens: '8' };

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** Takes the only place, as somebody who speaks and does not stop; lets go when the signal aborts. */
async function takePlace({ parts }: TestApp, signal: AbortSignal): Promise<void> {
  const blocks = (async function* (): AsyncGenerator<AudioBlock> {
    yield { startSample: 0, samples: new Float32Array(1600) };
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  })();
  const job = { asker: 'speaker', model: '', audio: { blocks }, options: DEFAULT_OPTIONS };
  const events = parts.jobs.run(job, signal);
  await events.next();
  const drain = async (): Promise<void> => {
    while (!(await events.next()).done);
  };
  drain().catch(() => undefined); // it is ended by the signal
}

async function send(server: TestApp, fields: Record<string, string> = SHORT): Promise<Response> {
  const body = await formOf(CLIP, fields);
  return server.ask('/v1/audio/transcriptions', { method: 'POST', body });
}

test('a recording that has to wait longer than its time is given up with 504, and leaves nothing', async () => {
  app = await openTestApp({ parallel: 1, deadline: 1 });
  const stop = new AbortController();
  await takePlace(app, stop.signal);
  const late = await send(app);
  expect(late.status).toBe(504);
  expect(await late.json()).toMatchObject({ error: { code: 'too_slow', type: 'server_error', param: null } });
  expect(late.headers.get('x-should-retry')).toBe('false');
  expect(app.parts.jobs.load.waiting).toBe(0);
  expect(await app.parts.uploads.count()).toBe(0);
  stop.abort();
  while (app.parts.jobs.load.running > 0) await pause();
});

test('a recording whose reading takes longer than its time is given up with 504, and the next one is read', async () => {
  app = await openTestApp({ deadline: 4 });
  const [model] = await app.parts.shelf.list();
  if (model === undefined) throw new Error('there is no model to warm up');
  await app.parts.pool.warmUp(model); // loading it takes none of the recording's time
  const said = to16Bit(await readSamples(CLIP));
  const hour = new Int16Array(3600 * 16_000);
  for (let at = 0; at + said.length <= hour.length; at += said.length) hour.set(said, at);
  const form = new FormData();
  form.append('file', new Blob([wavBytes(hour, 16_000)]), 'hour.wav');
  const late = await app.ask('/v1/audio/transcriptions', { method: 'POST', body: form });
  expect(late.status).toBe(504);
  expect(await late.json()).toMatchObject({ error: { code: 'too_slow' } });
  expect(app.parts.jobs.load.running).toBe(0);
  expect(await app.parts.uploads.count()).toBe(0);
  expect((await send(app)).status).toBe(200);
});

test('a full line refuses with 503 and Retry-After, in every dialect, before anything is kept', async () => {
  app = await openTestApp({ parallel: 1, waiting: 0 });
  const stop = new AbortController();
  const upload = await app.ask('/gradio_api/upload', {
    method: 'POST',
    body: await formOf(CLIP, {}, 'files'),
  });
  const [path] = (await upload.json()) as string[];
  await takePlace(app, stop.signal);
  const json = (body: object): RequestInit => ({
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answers = {
    openai: await send(app),
    streamed: await send(app, { ...SHORT, stream: 'true' }),
    lines: await app.ask('/api/transcribe', { method: 'POST', body: await formOf(CLIP) }),
    gradio: await app.ask('/gradio_api/queue/join', json({ data: [{ path }], session_hash: 'x' })),
    call: await app.ask('/gradio_api/call/transcribe', json({ data: [{ path }] })),
  };
  for (const [name, response] of Object.entries(answers)) {
    expect(response.status, name).toBe(503);
    expect(Number(response.headers.get('Retry-After')), name).toBeGreaterThan(0);
  }
  expect(await answers.openai.json()).toMatchObject({ error: { code: 'busy' } });
  expect(await answers.lines.json()).toMatchObject({ type: 'error', code: 'busy' });
  expect(await answers.gradio.json()).toHaveProperty('detail');
  expect(await app.parts.uploads.count()).toBe(1); // Gradio's, which a later call may name
  stop.abort();
});

test('a model that nobody uses leaves memory with its process, and comes back when it is asked for', async () => {
  app = await openTestApp({ idleMinutes: 0.0005 });
  const { parts } = app;
  const text = ((await (await send(app)).json()) as { text: string }).text;
  const [before] = await parts.pool.loaded();
  while ((await parts.pool.loaded()).length > 0) await pause();
  if (before !== undefined) while (isRunning(before.pid)) await pause();
  expect(await parts.metrics.registry.metrics()).toMatch(/sotto_models_loaded 0/);
  expect(((await (await send(app)).json()) as { text: string }).text).toBe(text);
});

test('a server that is told to stop finishes what is under way, answers, and takes its folder along', async () => {
  const places = await testPlaces();
  const { child, url } = await serverProcess(places, { port: 0, threads: 1 });
  const uploads = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => name.startsWith(`sotto-server-${child.pid}-`));
  expect(await uploads()).toHaveLength(1);
  const response = await fetch(`${url}/api/transcribe`, { method: 'PUT', body: await readFile(CLIP) });
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const lines = (await response.text()).trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ type: 'end' });
  expect(await exit).toEqual([0, null]);
  expect(await uploads()).toEqual([]);
  await rm(places.folder, { recursive: true });
});

const OPENSSL_MISSING = spawnSync('openssl', ['version']).status !== 0;

describe.skipIf(OPENSSL_MISSING)('over TLS (needs openssl)', () => {
  test("OpenAI's own Realtime client, which speaks nothing else, is understood", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-tls-'));
    const [tlsCert, tlsKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${tlsKey} -out ${tlsCert}`.split(
        ' ',
      ),
      { stdio: 'ignore' },
    );
    const server = await openTestServer({ tlsCert, tlsKey });
    const address = new URL(server.url.replace('127.0.0.1', 'localhost'));
    expect(address.protocol).toBe('https:');
    const ca = await readFile(tlsCert);
    const status = await new Promise((resolve, reject) => {
      const asked = request({ host: 'localhost', port: address.port, path: '/healthz', ca }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(status).toBe(200);

    const client = new OpenAI({ baseURL: `${address.origin}/v1`, apiKey: 'none' });
    const realtime = new OpenAIRealtimeWS({ model: 'sample', options: { ca } }, client);
    const transcript = new Promise<string>((resolve, reject) => {
      realtime.on('error', reject);
      realtime.on('conversation.item.input_audio_transcription.completed', (event) =>
        resolve(event.transcript),
      );
    });
    realtime.socket.once('open', () => void speak());
    const speak = async (): Promise<void> => {
      const input = { format: { type: 'audio/pcm', rate: 16_000 }, turn_detection: null };
      realtime.send({
        type: 'session.update',
        session: { type: 'transcription', audio: { input } },
      } as never);
      const audio = (await readFile(CLIP)).subarray(44).toString('base64');
      realtime.send({ type: 'input_audio_buffer.append', audio });
      realtime.send({ type: 'input_audio_buffer.commit' });
    };
    expect(await transcript).toBe(await expectedText(CLIP));
    realtime.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  test('a certificate without its key, or one that is none, is refused before the port is opened', async () => {
    await expect(openTestServer({ tlsCert: CLIP })).rejects.toMatchObject({ code: 'option-invalid' });
    await expect(openTestServer({ tlsCert: CLIP, tlsKey: CLIP })).rejects.toMatchObject({
      code: 'option-invalid',
    });
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
