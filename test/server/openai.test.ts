import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CLIP, type TestApp, dataOf, expectedText, formOf, openTestApp } from './test-server.ts';

let server: TestApp;
let text: string;

/** The seeded model never stops by itself. */
const SHORT = { model: 'sample', max_new_tokens: '8' };

beforeAll(async () => {
  server = await openTestApp({ maxUploadMb: 1, maxAudioMinutes: 1 });
  text = await expectedText(CLIP, { maxNewTokens: 8 });
});
afterAll(() => server.close());
afterEach(async () => {
  expect(await server.parts.uploads.count(), 'temporary files that stayed').toBe(0);
});

async function transcribe(fields: Record<string, string>): Promise<Response> {
  return server.ask('/v1/audio/transcriptions', { method: 'POST', body: await formOf(CLIP, fields) });
}

interface ErrorAnswer {
  readonly error: { message: string; type: string; param: string | null; code: string | null };
}

async function refusal(response: Response): Promise<ErrorAnswer['error']> {
  const { error } = (await response.json()) as ErrorAnswer;
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  return error;
}

describe('a transcription', () => {
  test('is JSON with the text and what it cost', async () => {
    const response = await transcribe(SHORT);
    expect(response.status).toBe(200);
    const body = (await response.json()) as { text: string; usage: { seconds: number } };
    expect(body.text).toBe(text);
    expect(text).not.toBe('');
    expect(body.usage).toMatchObject({ type: 'duration' });
    expect(body.usage.seconds).toBeGreaterThan(0.5);
  });

  test('is plain text, subtitles, or every detail, as asked', async () => {
    expect(await (await transcribe({ ...SHORT, response_format: 'text' })).text()).toBe(`${text}\n`);
    const srt = await transcribe({ ...SHORT, response_format: 'srt' });
    expect(srt.headers.get('Content-Type')).not.toContain('json');
    expect(await srt.text()).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n/);
    expect(await (await transcribe({ ...SHORT, response_format: 'vtt' })).text()).toMatch(/^WEBVTT\n\n00:00/);
    const verbose = (await (await transcribe({ ...SHORT, response_format: 'verbose_json' })).json()) as {
      text: string;
      segments: { start: number; end: number; tokens: number[]; avg_logprob: number }[];
    };
    expect(verbose).toMatchObject({ task: 'transcribe', text });
    expect(verbose.segments.length).toBeGreaterThan(0);
    for (const segment of verbose.segments) {
      expect(segment.end).toBeGreaterThan(segment.start);
      expect(segment.tokens.length).toBeGreaterThan(0);
      expect(segment.avg_logprob).toBeLessThanOrEqual(0);
    }
  });

  test('streams deltas that add up to the text', async () => {
    const response = await transcribe({ ...SHORT, stream: 'true', 'include[]': 'logprobs' });
    expect(response.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
    const stream = await response.text();
    const events = dataOf(stream) as { type: string; delta?: string; text?: string; logprobs?: unknown[] }[];
    const deltas = events.filter(({ type }) => type === 'transcript.text.delta');
    expect(deltas.map(({ delta }) => delta).join('')).toBe(text);
    expect(deltas[0]?.logprobs?.length).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ type: 'transcript.text.done', text });
    expect(stream.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('tells which fields it did not use', async () => {
    const response = await transcribe({ ...SHORT, language: 'en', temperature: '0', prompt: 'names' });
    expect(response.headers.get('Sotto-Unused')).toBe('language, prompt');
  });

  test('goes by any name that other servers have for their model', async () => {
    expect((await transcribe({ ...SHORT, model: 'whisper-1' })).status).toBe(200);
  });

  test('can be read with fields first and the file last', async () => {
    const form = new FormData();
    for (const [name, value] of Object.entries(SHORT)) form.append(name, value);
    form.append('file', await fileOf(), 'audio');
    const response = await server.ask('/v1/audio/transcriptions', { method: 'POST', body: form });
    expect(((await response.json()) as { text: string }).text).toBe(text);
  });
});

describe('what cannot be done is refused, with all four keys', () => {
  const cases: [string, Record<string, string>, number, string, string | null][] = [
    ['an unknown model', { model: 'large-v9' }, 404, 'model_not_found', null],
    [
      'times of words',
      { ...SHORT, response_format: 'verbose_json', 'timestamp_granularities[]': 'word' },
      400,
      'option_invalid',
      'timestamp_granularities',
    ],
    [
      'times without a format for them',
      { ...SHORT, 'timestamp_granularities[]': 'segment' },
      400,
      'option_invalid',
      'timestamp_granularities',
    ],
    ['speakers', { ...SHORT, response_format: 'diarized_json' }, 400, 'option_invalid', 'response_format'],
    ['an unknown format', { ...SHORT, response_format: 'docx' }, 400, 'option_invalid', 'response_format'],
    [
      'a stream of subtitles',
      { ...SHORT, response_format: 'srt', stream: 'true' },
      400,
      'option_invalid',
      'stream',
    ],
    ['a temperature of "hot"', { ...SHORT, temperature: 'hot' }, 400, 'option_invalid', 'temperature'],
  ];
  test.each(cases)('%s', async (_, fields, status, code, param) => {
    const response = await transcribe(fields);
    expect(response.status).toBe(status);
    expect(await refusal(response)).toMatchObject({ code, param, type: 'invalid_request_error' });
  });

  test('a form without a recording, an empty one, and one that is no audio', async () => {
    const send = async (blob: Blob | undefined): Promise<Response> => {
      const form = new FormData();
      form.append('model', 'sample');
      if (blob !== undefined) form.append('file', blob, 'a.wav');
      return server.ask('/v1/audio/transcriptions', { method: 'POST', body: form });
    };
    expect(await refusal(await send(undefined))).toMatchObject({ param: 'file' });
    expect((await refusal(await send(new Blob([])))).code).toBe('audio_empty');
    const text = await send(new Blob(['This is not a recording. '.repeat(40)]));
    expect(text.status).toBe(415);
    expect((await refusal(text)).code).toBe('audio_unsupported');
  });

  test('a stream of what is no recording has its own status, in every dialect that streams', async () => {
    const picture = new Blob(['\x89PNG\r\n\x1a\n', new Uint8Array(200)]);
    const form = new FormData();
    form.append('stream', 'true');
    form.append('', 'a field without a name');
    form.append('file', picture, 'a.wav');
    const streamed = await server.ask('/v1/audio/transcriptions', { method: 'POST', body: form });
    expect(streamed.status).toBe(415);
    expect((await refusal(streamed)).code).toBe('audio_unsupported');
    const lines = await server.ask('/api/transcribe', { method: 'PUT', body: picture });
    expect(lines.status).toBe(415);
    expect(await lines.json()).toMatchObject({ type: 'error', code: 'audio-unsupported' });
  });

  test('a method that an address does not take is told with those that it takes', async () => {
    const response = await server.ask('/v1/audio/transcriptions');
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('POST, OPTIONS');
    expect((await refusal(response)).code).toBe('method_unknown');
  });

  test('too many bytes, and too many seconds whatever the file claims', async () => {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(1_200_000)]), 'a.wav');
    const large = await server.ask('/v1/audio/transcriptions', { method: 'POST', body: form });
    expect(large.status).toBe(413);
    expect((await refusal(large)).code).toBe('upload_too_large');
    const long = new FormData();
    long.append('file', new Blob([silentWav(61, 8000)]), 'a.wav');
    const response = await server.ask('/v1/audio/transcriptions', { method: 'POST', body: long });
    expect(response.status).toBe(413);
    expect((await refusal(response)).code).toBe('audio_too_long');
  });

  test('a body that is no form, or a form that breaks off', async () => {
    const json = { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } };
    expect((await refusal(await server.ask('/v1/audio/transcriptions', json))).code).toBe('upload_malformed');
    const broken = {
      method: 'POST',
      body: '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF',
      headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
    };
    expect((await refusal(await server.ask('/v1/audio/transcriptions', broken))).code).toBe(
      'upload_malformed',
    );
  });

  test('a translation, and an address that does not exist', async () => {
    const translation = await server.ask('/v1/audio/translations', {
      method: 'POST',
      body: await formOf(CLIP),
    });
    expect(translation.status).toBe(400);
    expect((await refusal(translation)).message).toContain('does not translate');
    const nowhere = await server.ask('/v1/chat/completions', { method: 'POST', body: '{}' });
    expect(nowhere.status).toBe(404);
    await refusal(nowhere);
  });
});

test('models are listed as OpenAI lists them', async () => {
  const list = (await (await server.ask('/v1/models')).json()) as { data: object[] };
  expect(list).toMatchObject({
    object: 'list',
    data: [{ id: 'sample', object: 'model', owned_by: 'sotto' }],
  });
  expect(await (await server.ask('/v1/models/sample')).json()).toMatchObject({ id: 'sample' });
  expect((await server.ask('/v1/models/nobody')).status).toBe(404);
});

test('curl gets a line of JSON per event, from a form or from a bare recording', async () => {
  const form = await server.ask('/api/transcribe', { method: 'POST', body: await formOf(CLIP, SHORT) });
  const bare = await server.ask('/api/transcribe/clip.wav?max_new_tokens=8', {
    method: 'PUT',
    body: await fileOf(),
  });
  for (const response of [form, bare]) {
    const events = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; segment?: { text: string } });
    expect(events[0]).toEqual({ type: 'started' });
    expect(events.find(({ type }) => type === 'final')?.segment?.text).toBe(text);
    expect(events.at(-1)?.type).toBe('end');
  }
});

test('the description names every address and fits the schemas', async () => {
  const document = (await (await server.ask('/openapi.json')).json()) as { openapi: string; paths: object };
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toContain('/v1/audio/transcriptions');
  const page = await (await server.ask('/docs')).text();
  expect(page).not.toMatch(/https?:\/\//);
  expect((await server.ask('/docs/swagger-ui-bundle.js')).status).toBe(200);
});

async function fileOf(): Promise<Blob> {
  return new Blob([await readFile(CLIP)]);
}

/** Silence as 8-bit WAV. */
function silentWav(seconds: number, rate: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + seconds * rate).fill(128);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('RIFF----WAVEfmt '));
  view.setUint32(4, bytes.length - 8, true);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  bytes.set(new TextEncoder().encode('data'), 36);
  view.setUint32(40, seconds * rate, true);
  return bytes;
}
