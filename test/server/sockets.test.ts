import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { EXACT_OPTIONS, type TranscriptEvent } from '../../src/engine/events.ts';
import { createEngine } from '../../src/engine/create-engine.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import { type SocketLike, connectServer, probeServer } from '../../src/platform/web/server-engine.ts';
import { describeEngine, tone } from '../contract/engine.ts';
import { loadInMemory } from '../fixtures/memory-model.ts';
import { seededCheckpoint } from '../fixtures/seeded-model.ts';
import { AT_16_KHZ, clipAudio, connectRealtime } from './realtime-client.ts';
import { CLIP, expectedText, openTestServer } from './test-server.ts';

let server: Awaited<ReturnType<typeof openTestServer>>;
let wanted: TranscriptEvent[];

beforeAll(async () => {
  server = await openTestServer();
  const engine = createEngine(
    await loadInMemory(seededCheckpoint(), 'fp32', createNodeRuntime({ provider: 'cpu', threads: 1 })),
  );
  wanted = [];
  const audio = (async function* () {
    // What sixteen bits keep of it.
    yield { startSample: 0, samples: tone().map((sample) => Math.round(sample * 32_767) / 32_767) };
  })();
  const options = { ...EXACT_OPTIONS, maxNewTokens: 12 };
  for await (const event of engine.transcribe(audio, options, new AbortController().signal)) {
    wanted.push(event.type === 'end' ? { ...event, timings: {} as never } : event);
  }
  await engine.release();
});
afterAll(() => server.close());

const openSocket = (url: string, protocols: string[]): SocketLike =>
  new WebSocket(url, protocols) as unknown as SocketLike;

describeEngine(
  'on a server',
  () => connectServer({ url: `${server.url}/` }, undefined, openSocket),
  async () => wanted,
);

describe('a page that looks for a server', () => {
  test('learns its version and models', async () => {
    expect(await probeServer({ url: `${server.url}/` })).toEqual({ version: '1.2.3', models: ['sample'] });
  });

  test('is told when nobody is there, and when it is somebody else', async () => {
    await expect(probeServer({ url: 'http://127.0.0.1:9/' })).rejects.toMatchObject({
      code: 'source-unreachable',
    });
    await expect(probeServer({ url: `${server.url}/v1/` })).rejects.toMatchObject({
      code: 'endpoint-refused',
    });
    const nowhere = connectServer({ url: `${server.url}/nowhere/` }, undefined, openSocket);
    await expect(nowhere).rejects.toMatchObject({ code: 'source-unreachable' });
  });

  test('is cut off when it sends what is no message, or more audio than was asked for', async () => {
    const send = async (frames: (string | Uint8Array)[]): Promise<number> => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/engine`);
      await new Promise((resolve) => socket.once('open', resolve));
      for (const frame of frames) socket.send(frame);
      return new Promise((resolve) => socket.once('close', (code) => resolve(code)));
    };
    expect(await send(['not json'])).toBe(1007);
    expect(await send(['{"type":"explode","id":1}'])).toBe(1007);
    expect(await send([new Uint8Array(5)])).toBe(1007);
    expect(await send([new Uint8Array(1036)])).toBe(1007);
  });
});

describe('Realtime transcription', () => {
  test('reads what was appended when it is committed', async () => {
    const client = await connectRealtime(server.url);
    await client.hear('session.created');
    const input = { format: AT_16_KHZ, turn_detection: null, transcription: { model: 'sample' } };
    client.say({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
    await client.hear('session.updated');
    for (const audio of await clipAudio()) client.say({ type: 'input_audio_buffer.append', audio });
    client.say({ type: 'input_audio_buffer.commit' });
    const { item_id } = await client.hear('input_audio_buffer.committed');
    const done = await client.hear('conversation.item.input_audio_transcription.completed');
    expect(done).toMatchObject({ item_id, transcript: await expectedText(CLIP) });
    const deltas = client.heard.filter(({ type }) => type.endsWith('.delta'));
    expect(deltas.map(({ delta }) => delta).join('')).toBe(done.transcript);
    client.close();
  });

  test('finds the turns itself, with a beginning and an end for each', async () => {
    const client = await connectRealtime(server.url);
    client.say({ type: 'session.update', session: { audio: { input: { format: AT_16_KHZ } } } });
    for (const audio of await clipAudio()) client.say({ type: 'input_audio_buffer.append', audio });
    client.say({ type: 'input_audio_buffer.commit' });
    const done = await client.hear('conversation.item.input_audio_transcription.completed');
    const types = client.heard.filter(({ item_id }) => item_id === done.item_id).map(({ type }) => type);
    expect(types[0]).toBe('input_audio_buffer.speech_started');
    expect(types.indexOf('input_audio_buffer.speech_stopped')).toBeGreaterThan(0);
    expect(types.at(-1)).toBe('conversation.item.input_audio_transcription.completed');
    expect(done.transcript).not.toBe('');
    client.close();
  });

  test('tells what it cannot do, and goes on', async () => {
    const client = await connectRealtime(server.url);
    client.say({ type: 'input_audio_buffer.commit' });
    expect(await client.hear('error')).toMatchObject({ error: { code: 'audio_empty', event_id: null } });
    client.say({ type: 'response.create', event_id: 'mine' });
    while (client.heard.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(client.heard[2]).toMatchObject({ type: 'error', error: { event_id: 'mine', param: 'type' } });
    client.say({ type: 'input_audio_buffer.clear' });
    await client.hear('input_audio_buffer.cleared');
    client.close();
  });

  test('ends its jobs when the client goes', async () => {
    const client = await connectRealtime(server.url);
    client.say({ type: 'input_audio_buffer.append', audio: 'AAAA'.repeat(4000) });
    while (server.parts.jobs.load.running === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    client.close();
    while (server.parts.jobs.load.running > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

test('a socket from a foreign page, or to an address that does not exist, is refused', async () => {
  const status = (path: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers });
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      socket.once('error', () => undefined);
    });
  expect(await status('/v1/realtime', { Origin: 'https://evil.example' })).toBe(403);
  expect(await status('/v1/realtime', { Host: 'evil.example' })).toBe(403);
  expect(await status('/v1/other', {})).toBe(404);
});
