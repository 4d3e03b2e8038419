import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openEndpoint } from '../../../src/eval/engines/endpoint.ts';
import { parseEngineSpec } from '../../../src/eval/engines/engine-spec.ts';
import type { EvalAudio } from '../../../src/eval/engines/eval-engine.ts';
import { readSamples } from '../../../src/eval/read-audio.ts';
import { to16Bit, wavBytes } from '../../../src/eval/wav-bytes.ts';
import { CLIP, expectedText, openTestServer } from '../../server/test-server.ts';

const NEVER = new AbortController().signal;
const audio: EvalAudio = {
  id: 'clip-1',
  samples: new Float32Array(160),
  wav: () => wavBytes(new Int16Array(160), 16_000),
  language: 'zh',
};

let server: Server | undefined;
afterEach(() => server?.close());

type Answer = (form: FormData, request: IncomingMessage, response: ServerResponse) => void;

/** A server whose requests are read by the platform's own multipart parser. */
async function serve(answer: Answer): Promise<string> {
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const headers = { 'content-type': request.headers['content-type'] ?? '' };
      void new Response(Buffer.concat(pieces), { headers })
        .formData()
        .then((form) => answer(form, request, response));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

const open = (url: string, more = ''): ReturnType<typeof openEndpoint> =>
  openEndpoint(parseEngineSpec(`endpoint,url=${url},model=some-model${more}`));

describe('request', () => {
  test('sends the recording, the model, the language and the key as OpenAI’s contract has them', async () => {
    const seen: Record<string, unknown> = {};
    const url = await serve((form, request, response) => {
      const file = form.get('file') as File;
      Object.assign(seen, Object.fromEntries([...form].filter(([name]) => name !== 'file')), {
        path: request.url,
        key: request.headers.authorization,
        file: [file.name, file.type, file.size],
      });
      response.end('{"text": " 你好。 ", "usage": {"type": "duration", "seconds": 1}}');
    });
    process.env['TEST_KEY'] = 'secret';
    const engine = open(`${url}/`, ',key-env=TEST_KEY');
    expect(await engine.transcribe(audio, NEVER)).toEqual({ text: '你好。' });
    expect(seen).toEqual({
      path: '/v1/audio/transcriptions',
      key: 'Bearer secret',
      file: ['clip-1.wav', 'audio/wav', 364],
      model: 'some-model',
      language: 'zh',
      response_format: 'json',
      temperature: '0',
    });
  });

  test('no language where nobody speaks, or where it is switched off', async () => {
    const languages: unknown[] = [];
    const url = await serve((form, _, response) => {
      languages.push(form.get('language'));
      response.end('{"text": ""}');
    });
    expect(await open(url).transcribe({ ...audio, language: 'none' }, NEVER)).toEqual({ text: '' });
    await open(url, ',language=off').transcribe(audio, NEVER);
    expect(languages).toEqual([null, null]);
  });
});

describe('stream', () => {
  test('takes the text from the deltas as they come, cut anywhere', async () => {
    const events = ['你好，', 'world'].map((delta) => ({ type: 'transcript.text.delta', delta }));
    const done = { type: 'transcript.text.done', text: '你好，world' };
    const body = Buffer.from(
      [...events, done].map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join('') +
        'data: [DONE]\n\n',
    );
    const url = await serve((form, _, response) => {
      expect(form.get('stream')).toBe('true');
      response.setHeader('content-type', 'text/event-stream; charset=utf-8');
      let at = 0;
      const send = (): void => {
        if (at >= body.length) return void response.end();
        response.write(body.subarray(at, (at += 7)), () => setTimeout(send, 1));
      };
      send();
    });
    const reading = await open(url, ',stream=on').transcribe(audio, NEVER);
    expect(reading.text).toBe('你好，world');
    expect(reading.firstTextMs).toBeGreaterThan(0);
  });

  test('a server that does not stream is understood as well', async () => {
    const url = await serve((_, __, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"text": "whole"}');
    });
    expect(await open(url, ',stream=on').transcribe(audio, NEVER)).toEqual({ text: 'whole' });
  });

  test('bare pieces of text, as `transformers serve` sends them, are put together', async () => {
    const url = await serve((_, __, response) => {
      response.setHeader('content-type', 'text/event-stream; charset=utf-8');
      response.end(['turn', ' left', ' at', ' 12'].map((piece) => `data: ${piece}\n\n`).join(''));
    });
    const reading = await open(url, ',stream=on').transcribe(audio, NEVER);
    expect(reading.text).toBe('turn left at 12');
  });

  test('an error within the stream fails the clip', async () => {
    const url = await serve((_, __, response) => {
      response.setHeader('content-type', 'text/event-stream');
      response.end('data: {"error": {"message": "out of memory"}}\n\n');
    });
    await expect(open(url, ',stream=on').transcribe(audio, NEVER)).rejects.toThrow('out of memory');
  });
});

describe('failures', () => {
  test('a refusal is told in the server’s words', async () => {
    const url = await serve((_, __, response) => {
      response.statusCode = 401;
      response.end('{"error": {"message": "Incorrect API key", "type": "x", "param": null, "code": null}}');
    });
    await expect(open(url).transcribe(audio, NEVER)).rejects.toMatchObject({
      code: 'endpoint-refused',
      message: 'the server answered 401: Incorrect API key',
    });
  });

  test.each([['<html>busy</html>'], ['{"result": "text elsewhere"}'], ['null']])(
    'an answer that is no transcript is refused: %s',
    async (body) => {
      const url = await serve((_, __, response) => response.end(body));
      await expect(open(url).transcribe(audio, NEVER)).rejects.toMatchObject({ code: 'endpoint-refused' });
    },
  );

  test('nobody there, and no answer in time', async () => {
    const url = await serve(() => undefined);
    await expect(open(url, ',timeout=1').transcribe(audio, NEVER)).rejects.toThrow('did not answer in time');
    await expect(open('http://127.0.0.1:9/v1').transcribe(audio, NEVER)).rejects.toMatchObject({
      code: 'source-unreachable',
    });
  });

  test('stopping is no failure', async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort());
    await expect(open(url).transcribe(audio, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('an address or a key that is not there is told before anything is sent', () => {
    expect(() => open('ftp://x')).toThrow('http:// or https://');
    expect(() => open('http://x/v1', ',key-env=NO_SUCH_KEY')).toThrow('NO_SUCH_KEY is not set');
    expect(() => openEndpoint(parseEngineSpec('endpoint,model=x'))).toThrow('endpoint needs url=');
  });
});

describe('our own server', () => {
  test.each(['off', 'on'])('is read through its OpenAI endpoint, stream=%s', async (stream) => {
    const own = await openTestServer();
    try {
      const samples = await readSamples(CLIP);
      const engine = openEndpoint(
        parseEngineSpec(`endpoint,url=${own.url}/v1,model=sample,stream=${stream}`),
      );
      const clip = { id: 'clip', samples, language: 'en', wav: () => wavBytes(to16Bit(samples), 16_000) };
      const reading = await engine.transcribe(clip, NEVER);
      expect(reading.text).toBe(await expectedText(CLIP));
      expect(reading.firstTextMs !== undefined).toBe(stream === 'on');
    } finally {
      await own.close();
    }
  });
});
