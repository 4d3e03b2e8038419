// Whatever comes in, the server answers in its own words and goes on. FUZZ_RUNS=2000 looks longer, and
// elsewhere each time.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { CLIP, openTestServer } from './test-server.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 40);
const HOW = { numRuns: RUNS, ...(process.env.FUZZ_RUNS === undefined && { seed: 20_261_127 }) };
const SOUNDS = join(import.meta.dirname, '../fixtures/sounds');

let server: Awaited<ReturnType<typeof openTestServer>>;
let sounds: Uint8Array[];

beforeAll(async () => {
  server = await openTestServer({ maxUploadMb: 1, maxAudioMinutes: 0.2 });
  const names = (await readdir(SOUNDS)).sort();
  sounds = await Promise.all(names.map(async (name) => new Uint8Array(await readFile(join(SOUNDS, name)))));
});
afterAll(() => server.close());

/** Refused or read, but never by accident: no 5xx at all, and the dialect's shape. */
async function expectAnswer(response: Response): Promise<void> {
  const text = await response.text();
  expect(response.status, text).toBeLessThan(500);
  expect(text).not.toContain('"bug"');
  if (response.status < 400) return;
  const body = JSON.parse(text) as { error?: object; detail?: unknown; type?: string };
  const { pathname } = new URL(response.url);
  if (pathname.startsWith('/gradio_api')) expect(body).toHaveProperty('detail');
  else if (pathname.startsWith('/api')) expect(body).toMatchObject({ type: 'error' });
  else expect(Object.keys(body.error ?? {}).sort()).toEqual(['code', 'message', 'param', 'type']);
}

async function expectAlive(): Promise<void> {
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
}

const FORM_ADDRESSES = ['/v1/audio/transcriptions', '/api/transcribe', '/gradio_api/upload'];
const FIELDS = [
  'model',
  'language',
  'prompt',
  'response_format',
  'temperature',
  'timestamp_granularities[]',
  'include[]',
  'stream',
  'gain',
  'exact',
  'instruction',
  'max_new_tokens',
  'chunking_strategy[type]',
  '',
  '__proto__',
  'constructor',
];

/** Bytes of `whole` with pieces cut out, doubled, overwritten. */
function damaged(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const wound = fc.record({ at: place, cut: fc.nat(200), put: fc.uint8Array({ maxLength: 12 }) });
  return fc
    .tuple(whole, fc.array(wound, { minLength: 1, maxLength: 6 }), place, fc.boolean())
    .map(([bytes, wounds, end, cutShort]) => {
      let now = Buffer.from(cutShort ? bytes.subarray(0, Math.floor(end * bytes.length)) : bytes);
      for (const { at, cut, put } of wounds) {
        // Most of what can go wrong is in the first bytes.
        const start = Math.floor(at * at * at * now.length);
        now = Buffer.concat([now.subarray(0, start), put, now.subarray(start + cut)]);
      }
      return new Uint8Array(now);
    });
}

function formBytes(boundary: string, name: string, value: string, sound: Uint8Array): Uint8Array {
  const text = (part: string): Buffer => Buffer.from(part, 'latin1');
  return Buffer.concat([
    text(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
    text(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`),
    sound,
    text(`\r\n--${boundary}--\r\n`),
  ]);
}

describe('what comes as a form', () => {
  test('may be damaged anywhere', async () => {
    const short = (await readFile(CLIP)).subarray(0, 4044);
    const form = fc
      .tuple(fc.constantFrom(...FIELDS), fc.string({ maxLength: 20 }))
      .map(([name, value]) => formBytes('xx', name, value, short));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...FORM_ADDRESSES), damaged(form), async (path, body) => {
        const headers = { 'Content-Type': 'multipart/form-data; boundary=xx' };
        await expectAnswer(await fetch(`${server.url}${path}`, { method: 'POST', headers, body }));
      }),
      HOW,
    );
  });

  test('may be of any type, with any boundary', async () => {
    const visible = fc.string({ unit: 'grapheme-ascii', maxLength: 30 });
    const type = fc.oneof(
      visible.map((rest) => `multipart/form-data; boundary=${rest}`),
      visible.map((rest) => `multipart/form-data;${rest}`),
      visible,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FORM_ADDRESSES),
        type,
        fc.uint8Array({ maxLength: 300 }),
        async (path, contentType, bytes) => {
          const headers = { 'Content-Type': contentType.trim() };
          const body = new Uint8Array(bytes);
          await expectAnswer(await fetch(`${server.url}${path}`, { method: 'POST', headers, body }));
        },
      ),
      HOW,
    );
  });

  test('may ask for anything', async () => {
    const clip = new Blob([(await readFile(CLIP)).subarray(0, 8044)]);
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('true', 'json', 'srt', 'verbose_json', 'word', 'segment', '1', '-1', 'NaN', '1e999'),
    );
    const fields = fc.array(fc.tuple(fc.constantFrom(...FIELDS), value), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...FORM_ADDRESSES.slice(0, 2)), fields, async (path, given) => {
        const form = new FormData();
        form.append('file', clip, 'a.wav');
        form.append('max_new_tokens', '2');
        for (const [name, text] of given) if (name !== 'max_new_tokens') form.append(name, text);
        await expectAnswer(await fetch(`${server.url}${path}`, { method: 'POST', body: form }));
      }),
      HOW,
    );
  });

  test('may hold a recording of any format that is damaged anywhere', async () => {
    const sound = damaged(fc.nat(sounds.length - 1).map((i) => sounds[i] ?? new Uint8Array()));
    await fc.assert(
      fc.asyncProperty(sound, async (body) => {
        const url = `${server.url}/v1/audio/transcriptions`;
        const form = new FormData();
        form.append('max_new_tokens', '2');
        form.append('file', new Blob([body]), 'a');
        await expectAnswer(await fetch(url, { method: 'POST', body: form }));
      }),
      HOW,
    );
  });

  test('leaves nothing behind', async () => {
    // Gradio's uploads stay, under names that it gave out; the fuzz sends none in the field that it takes.
    expect(await server.parts.uploads.count()).toBe(0);
    expect(server.parts.jobs.load).toEqual({ running: 0, waiting: 0 });
  });
});

test('what comes as JSON may be anything', async () => {
  const near = fc.record(
    {
      data: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
      fn_index: fc.oneof(fc.integer(), fc.jsonValue()),
      session_hash: fc.oneof(fc.string(), fc.jsonValue()),
      event_id: fc.oneof(fc.string(), fc.jsonValue()),
      audio: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const paths = ['queue/join', 'cancel', 'reset', 'call/transcribe', 'call/v2/transcribe', 'run/transcribe'];
  const text = fc.oneof(
    near.map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), text, async (path, body) => {
      const headers = { 'Content-Type': 'application/json' };
      await expectAnswer(await fetch(`${server.url}/gradio_api/${path}`, { method: 'POST', headers, body }));
    }),
    HOW,
  );
});

/** Sends all frames, hears what comes, closes; a server that closes first is as good. */
async function exchange(path: string, frames: readonly (string | Uint8Array)[]): Promise<string[]> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`);
  const heard: string[] = [];
  socket.on('message', (data: Buffer) => heard.push(data.toString('utf8')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve) => socket.once('open', resolve));
  for (const frame of frames) socket.send(frame);
  // An answer to a ping comes after what was sent before it was taken in.
  socket.ping();
  await Promise.race([closed, new Promise((resolve) => socket.once('pong', resolve))]);
  socket.close();
  await closed;
  return heard;
}

describe('a socket', () => {
  const key = (name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> =>
    value.map((given) => ({ [name]: given }));
  const merged = (...parts: fc.Arbitrary<Record<string, unknown>>[]): fc.Arbitrary<string> =>
    fc.tuple(...parts).map((all) => JSON.stringify(Object.assign({}, ...all)));

  const realtimeTypes = fc.constantFrom(
    'session.update',
    'transcription_session.update',
    'input_audio_buffer.append',
    'input_audio_buffer.commit',
    'input_audio_buffer.clear',
  );
  const input = fc.record(
    {
      format: fc.oneof(
        fc.record({
          type: fc.constantFrom('audio/pcm', 'audio/pcmu', 'x'),
          rate: fc.oneof(fc.integer(), fc.constantFrom(8000, 16_000, 24_000, 96_000)),
        }),
        fc.jsonValue(),
      ),
      turn_detection: fc.oneof(fc.constant(null), fc.constant({ type: 'server_vad' }), fc.jsonValue()),
      transcription: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const realtimeFrame = fc.oneof(
    {
      weight: 4,
      arbitrary: merged(
        key('type', realtimeTypes),
        key('session', fc.record({ audio: fc.record({ input }) })),
      ),
    },
    {
      weight: 4,
      arbitrary: merged(
        key('type', realtimeTypes),
        key('audio', fc.oneof(fc.base64String({ maxLength: 4000 }), fc.string(), fc.jsonValue())),
      ),
    },
    fc.json(),
    fc.string(),
    fc.uint8Array({ maxLength: 50 }),
  );

  test('of Realtime answers every frame with an event', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(realtimeFrame, { maxLength: 8 }), async (frames) => {
        for (const text of await exchange('/v1/realtime', frames)) {
          const event = JSON.parse(text) as { type: string; event_id: string; error?: { code: string } };
          expect(event.event_id).toMatch(/^event_/);
          expect(event.error?.code).not.toBe('bug');
        }
      }),
      HOW,
    );
    await expectAlive();
  });

  const engineFrame = fc.oneof(
    {
      weight: 4,
      arbitrary: merged(
        key('type', fc.constantFrom('load', 'transcribe', 'finish', 'abort', 'release', 'audio-failed')),
        key('id', fc.oneof(fc.constantFrom(0, 1, 2), fc.jsonValue())),
        key('request', fc.oneof(fc.constant({ model: '' }), fc.jsonValue())),
        key('options', fc.oneof(fc.constant({ maxNewTokens: 1 }), fc.jsonValue())),
        key('failure', fc.oneof(fc.constant({ code: 'bug' }), fc.jsonValue())),
      ),
    },
    fc.json(),
    fc.string(),
    fc.uint8Array({ maxLength: 100 }),
  );

  test('of the page hears only messages of its protocol', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(engineFrame, { maxLength: 8 }), async (frames) => {
        for (const text of await exchange('/api/engine', frames)) {
          expect(JSON.parse(text)).toHaveProperty('id');
        }
      }),
      HOW,
    );
    await expectAlive();
    while (server.parts.jobs.load.running > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });
});
