import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLIP, type TestApp, dataOf, expectedText, formOf, openTestApp } from './test-server.ts';

let server: TestApp;
let text: string;

beforeAll(async () => {
  server = await openTestApp({ maxUploadMb: 1 });
  text = await expectedText(CLIP);
});
afterAll(() => server.close());

async function upload(): Promise<string> {
  const response = await server.ask('/gradio_api/upload', {
    method: 'POST',
    body: await formOf(CLIP, {}, 'files'),
  });
  const [path] = (await response.json()) as string[];
  return path ?? '';
}

function post(path: string, body: object): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' };
  return server.ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

interface Message {
  readonly msg: string;
  readonly success?: boolean;
  readonly output?: { data: [string, { text: string }[]]; error?: string };
}

async function predict(data: unknown[]): Promise<Message[]> {
  const session_hash = Math.random().toString(36).slice(2);
  const joined = await post('/gradio_api/queue/join', { data, fn_index: 1, session_hash });
  expect(joined.status).toBe(200);
  const stream = await (await server.ask(`/gradio_api/queue/data?session_hash=${session_hash}`)).text();
  // Python's client takes nothing but lines of data.
  for (const line of stream.split('\n')) expect(line === '' || line.startsWith('data: ')).toBe(true);
  return dataOf(stream) as Message[];
}

test('the configuration has what stock clients look for, and no root that a proxy would break', async () => {
  const config = (await (await server.ask('/config')).json()) as Record<string, unknown>;
  expect(config).toMatchObject({ protocol: 'sse_v3', api_prefix: '/gradio_api', max_file_size: 1e6 });
  expect(config).not.toHaveProperty('root');
  const info = (await (await server.ask('/gradio_api/info')).json()) as { named_endpoints: object };
  expect(Object.keys(info.named_endpoints)).toEqual(['/transcribe']);
  expect(await (await server.ask('/gradio_api/')).text()).toContain('gradio_client');
});

test('a recording that is uploaded and named is read: text and segments', async () => {
  const messages = await predict([{ path: await upload(), meta: { _type: 'gradio.FileData' } }]);
  expect(messages[0]?.msg).toBe('process_starts');
  expect(messages.at(-1)).toEqual({ msg: 'close_stream', event_id: null });
  const completed = messages.find(({ msg }) => msg === 'process_completed');
  expect(completed?.success).toBe(true);
  expect(completed?.output?.data[0]).toBe(text);
  expect(completed?.output?.data[1][0]?.text).not.toBe('');
});

test('damage is told as the end of the call, not of the connection', async () => {
  const form = new FormData();
  form.append('files', new Blob(['no recording at all '.repeat(50)]), 'a.wav');
  const [path] = (await (
    await server.ask('/gradio_api/upload', { method: 'POST', body: form })
  ).json()) as string[];
  const completed = (await predict([{ path }])).find(({ msg }) => msg === 'process_completed');
  expect(completed).toMatchObject({ success: false });
  expect(completed?.output?.error).toContain('Save it as WAV');
});

describe('refused at the door', () => {
  const cases: [string, unknown[]][] = [
    ['a path that was not given out', [{ path: '/etc/passwd' }]],
    ['an address to fetch', [{ path: 'http://127.0.0.1:1/a.wav' }]],
    ['no recording', []],
    ['too many values', [1, 2, 3, 4, 5]],
  ];
  test.each(cases)('%s', async (_, data) => {
    const response = await post('/gradio_api/queue/join', { data, fn_index: 1, session_hash: 'x' });
    expect(response.status).toBe(422);
    expect(await response.json()).toHaveProperty('detail');
  });

  test('a file, whatever its name', async () => {
    expect((await server.ask('/gradio_api/file=/etc/passwd')).status).toBe(404);
  });
});

test('curl calls by position, by name, and without a queue', async () => {
  const path = await upload();
  const byPosition = await post('/gradio_api/call/transcribe', { data: [{ path }] });
  const byName = await post('/gradio_api/call/v2/transcribe', { audio: { path }, gain: true });
  for (const response of [byPosition, byName]) {
    const { event_id } = (await response.json()) as { event_id: string };
    const stream = await (await server.ask(`/gradio_api/call/transcribe/${event_id}`)).text();
    expect(stream).toMatch(/event: complete\ndata: \[/);
    expect((dataOf(stream).at(-1) as unknown[])[0]).toBe(text);
    expect((await server.ask(`/gradio_api/call/transcribe/${event_id}`)).status).toBe(404);
  }
  const run = await post('/gradio_api/run/transcribe', { data: [{ path }] });
  expect(((await run.json()) as { data: unknown[] }).data[0]).toBe(text);
  expect((await post('/gradio_api/call/other', { data: [] })).status).toBe(404);
});

test('a cancelled call ends, and its session with it', async () => {
  const path = await upload();
  const joined = await post('/gradio_api/queue/join', { data: [{ path }], session_hash: 'going' });
  const { event_id } = (await joined.json()) as { event_id: string };
  expect(await (await post('/gradio_api/cancel', { event_id, session_hash: 'going' })).json()).toEqual({
    success: true,
  });
  const stream = await (await server.ask('/gradio_api/queue/data?session_hash=going')).text();
  expect(stream).toContain('"success":false');
  expect(stream).toContain('close_stream');
});

test('a session that nobody knows is told so', async () => {
  const stream = await (await server.ask('/gradio_api/queue/data?session_hash=nobody')).text();
  expect(dataOf(stream)[0]).toMatchObject({ msg: 'unexpected_error', session_not_found: true });
});
