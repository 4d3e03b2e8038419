// Unmodified clients of others against a server on a port.

import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@gradio/client';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLIP, expectedText, openTestServer } from './test-server.ts';

const run = promisify(execFile);
const SHORT = { max_new_tokens: 8 };

let server: Awaited<ReturnType<typeof openTestServer>>;
let short: string;
let whole: string;

beforeAll(async () => {
  server = await openTestServer();
  [short, whole] = [await expectedText(CLIP, { maxNewTokens: 8 }), await expectedText(CLIP)];
});
afterAll(() => server.close());

describe("OpenAI's own client", () => {
  const open = (): OpenAI => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });

  test('transcribes a stream from disk and a file in memory', async () => {
    const file = createReadStream(CLIP);
    const streamed = await open().audio.transcriptions.create({ file, model: 'sample', ...SHORT });
    expect(streamed.text).toBe(short);
    const inMemory = await toFile(await readFile(CLIP), 'clip.wav');
    const format = 'verbose_json';
    const verbose = await open().audio.transcriptions.create({
      file: inMemory,
      model: 'sample',
      response_format: format,
      timestamp_granularities: ['segment'],
      ...SHORT,
    });
    expect(verbose.text).toBe(short);
    expect(verbose.segments?.[0]?.end).toBeGreaterThan(0);
  });

  test('streams', async () => {
    const file = createReadStream(CLIP);
    const stream = await open().audio.transcriptions.create({
      file,
      model: 'sample',
      stream: true,
      ...SHORT,
    });
    let deltas = '';
    let done = '';
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') deltas += event.delta;
      if (event.type === 'transcript.text.done') done = event.text;
    }
    expect([deltas, done]).toEqual([short, short]);
  });

  test('gets errors of its own classes', async () => {
    const ask = (model: string): Promise<unknown> =>
      open().audio.transcriptions.create({ file: createReadStream(CLIP), model });
    await expect(ask('nobody')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const translation = open().audio.translations.create({ file: createReadStream(CLIP), model: 'sample' });
    await expect(translation).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });

  test('cancels', async () => {
    const stop = new AbortController();
    const file = createReadStream(CLIP);
    const asked = open().audio.transcriptions.create({ file, model: 'sample' }, { signal: stop.signal });
    await until(() => server.parts.jobs.load.running === 1);
    stop.abort();
    await expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    await until(() => server.parts.jobs.load.running === 0);
    await until(async () => (await server.parts.uploads.count()) === 0);
  });
});

describe("Gradio's own client", () => {
  test('predicts, with an upload', async () => {
    const client = await Client.connect(server.url);
    const api = (await client.view_api()) as { named_endpoints: object };
    expect(Object.keys(api.named_endpoints)).toEqual(['/transcribe']);
    const { data } = await client.predict('/transcribe', { audio: new Blob([await readFile(CLIP)]) });
    expect((data as unknown[])[0]).toBe(whole);
  });

  test('streams, and is told what went wrong', async () => {
    const client = await Client.connect(server.url);
    const submission = client.submit('/transcribe', [new Blob([await readFile(CLIP)])]);
    const outputs: unknown[] = [];
    for await (const event of submission) if (event.type === 'data') outputs.push(event.data[0]);
    expect(outputs.at(-1)).toBe(whole);
    const wrong = client.predict('/transcribe', [new Blob(['no recording '.repeat(99)])]);
    await expect(wrong).rejects.toMatchObject({ message: expect.stringContaining('WAV') as unknown });
  });

  test('cancels', async () => {
    const client = await Client.connect(server.url);
    const submission = client.submit('/transcribe', [new Blob([await readFile(CLIP)])]);
    await until(() => server.parts.jobs.load.running === 1);
    await submission.cancel();
    await until(() => server.parts.jobs.load.running === 0);
  });
});

describe('curl', () => {
  test('transcribes, streams lines, and calls like Gradio', async () => {
    const curl = async (...args: string[]): Promise<string> =>
      (await run('curl', ['-sS', '--max-time', '60', ...args])).stdout;
    const form = ['-F', `file=@${CLIP}`, '-F', 'model=sample', '-F', 'max_new_tokens=8'];
    const text = await curl(...form, '-F', 'response_format=text', `${server.url}/v1/audio/transcriptions`);
    expect(text).toBe(`${short}\n`);
    const lines = await curl('-N', '-T', CLIP, `${server.url}/api/transcribe?max_new_tokens=8`);
    expect(JSON.parse(lines.trim().split('\n').at(-1) ?? '')).toMatchObject({ type: 'end' });
    const [path] = JSON.parse(
      await curl('-F', `files=@${CLIP}`, `${server.url}/gradio_api/upload`),
    ) as string[];
    const asked = ['-H', 'Content-Type: application/json', '-d', JSON.stringify({ data: [{ path }] })];
    const call = await curl(...asked, `${server.url}/gradio_api/call/transcribe`);
    const { event_id } = JSON.parse(call) as { event_id: string };
    const heard = await curl('-N', `${server.url}/gradio_api/call/transcribe/${event_id}`);
    expect(heard).toContain('event: complete');
    expect(heard).toContain(JSON.stringify(whole));
  });
});

describe("Python's clients", () => {
  test('of OpenAI and Gradio transcribe, stream and fail as they should', async (context) => {
    const python = process.env.SOTTO_CLIENT_PYTHON ?? 'python3';
    const missing = await run(python, ['-c', 'import openai, gradio_client']).then(
      () => false,
      () => true,
    );
    context.skip(missing, 'Python has no openai and gradio_client (pip install openai gradio_client)');
    const script = join(import.meta.dirname, '../clients/stock_clients.py');
    const { stdout } = await run(python, [script, server.url, CLIP]);
    expect(JSON.parse(stdout)).toMatchObject({
      openai: short,
      openai_stream: short,
      openai_error: 'NotFoundError',
      gradio: whole,
    });
  });
});

/** Waits for something that is bound to happen; the test's own time limit ends the waiting. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
