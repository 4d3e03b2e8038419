import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyRing, addKey, hashKeys, readKeyFile, removeKey } from '../../src/server/access/keys.ts';
import { mergeSettings, settingsFromEnvironment } from '../../src/server/config.ts';
import { startServer } from '../../src/server/serve.ts';
import { type TestApp, openTestApp, testPlaces } from './test-server.ts';

const KEY = 'a-key-that-is-long-enough';

describe('a server with keys, one foreign origin and a limit', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp(
      { allowOrigin: 'https://sotto.example', allowHost: 'speech.example', rate: 3 },
      hashKeys(KEY),
    );
  });
  afterAll(() => server.close());

  test('wants a key for everything that reads audio, and for nothing else', async () => {
    for (const path of ['/v1/models', '/gradio_api/info', '/config', '/metrics', '/api/transcribe']) {
      const response = await server.ask(path);
      expect(response.status, path).toBe(401);
      expect(((await response.json()) as { error: { code: string } }).error.code).toBe('key_missing');
    }
    for (const path of ['/', '/healthz', '/models/sample/manifest.json', '/docs', '/openapi.json']) {
      expect((await server.ask(path)).status, path).toBe(200);
    }
    const ask = (headers: Record<string, string>): Promise<Response> => server.ask('/v1/models', { headers });
    expect((await ask({ Authorization: `Bearer ${KEY}` })).status).toBe(200);
    expect((await ask({ 'X-Api-Key': KEY })).status).toBe(200);
    expect((await ask({ Authorization: `Bearer ${KEY}x` })).status).toBe(401);
  });

  test('answers to its own names and to addresses, not to a name that was bent to it', async () => {
    const ask = (host: string): Promise<Response> => server.ask('/healthz', { headers: { Host: host } });
    for (const host of ['localhost:7860', '127.0.0.1', '[::1]:7860', '192.168.1.7:80', 'speech.example']) {
      expect((await ask(host)).status, host).toBe(200);
    }
    for (const host of ['evil.example', 'localhost.evil.example', '']) {
      expect((await ask(host)).status, host).toBe(403);
    }
  });

  test('lets a listed origin ask and read, others neither', async () => {
    const post = (origin: string): Promise<Response> =>
      server.ask('/v1/audio/translations', {
        method: 'POST',
        headers: { Origin: origin, Host: 'localhost:7860', Authorization: `Bearer ${KEY}` },
      });
    const own = await post('http://localhost:7860');
    expect(own.status).toBe(400);
    expect(own.headers.get('Access-Control-Allow-Origin')).toBeNull();
    const listed = await post('https://sotto.example');
    expect(listed.status).toBe(400);
    expect(listed.headers.get('Access-Control-Allow-Origin')).toBe('https://sotto.example');
    for (const origin of ['https://evil.example', 'null', 'http://localhost:9999']) {
      expect((await post(origin)).status, origin).toBe(403);
    }
    const preflight = await server.ask('/v1/audio/transcriptions', {
      method: 'OPTIONS',
      headers: { Origin: 'https://sotto.example', 'Access-Control-Request-Method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('Access-Control-Allow-Private-Network')).toBe('true');
  });

  test('tells who asks too often when to come back', async () => {
    const headers = { Authorization: `Bearer ${KEY}` };
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let i = 0; i < 4; i++) {
      last = await server.ask('/v1/audio/translations', { method: 'POST', headers });
      statuses.push(last.status);
    }
    expect(statuses.at(-1)).toBe(429);
    expect(Number(last?.headers.get('Retry-After'))).toBeGreaterThan(0);
  });
});

test('keys are kept as hashes, in a file for this user alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-keys-'));
  const path = join(folder, 'sotto/keys.json');
  const key = await addKey(path, 'laptop');
  expect(await readFile(path, 'utf8')).not.toContain(key);
  expect((await stat(path)).mode & 0o077).toBe(0);
  const ring = new KeyRing(await readKeyFile(path));
  expect(ring.nameOf(key)).toBe('laptop');
  expect(ring.nameOf(`${key} `)).toBeUndefined();
  await expect(addKey(path, 'laptop')).rejects.toMatchObject({ code: 'option-invalid' });
  expect(await removeKey(path, 'laptop')).toBe(true);
  expect(await readKeyFile(path)).toEqual([]);
  await rm(folder, { recursive: true });
});

test('a server that others can reach does not start without keys', async () => {
  const places = await testPlaces();
  const settings = { host: '0.0.0.0', port: 0, keyFile: '/nowhere/keys.json', warmUp: false, log: 'silent' };
  await expect(startServer(mergeSettings(settings), places)).rejects.toMatchObject({ code: 'keys-needed' });
  const open = await startServer(mergeSettings(settings, { insecure: true }), places);
  await open.close();
  await rm(places.folder, { recursive: true });
});

test('settings come from file, environment and flags, the later ones winning', () => {
  const environment = settingsFromEnvironment({
    SOTTO_PORT: '8000',
    SOTTO_MAX_UPLOAD_MB: '5',
    SOTTO_INSECURE: 'true',
    PORT: '1',
  });
  const settings = mergeSettings({ port: 7000, seats: 4 }, environment, {
    maxUploadMb: '7',
    host: undefined,
  });
  expect(settings).toMatchObject({ port: 8000, seats: 4, maxUploadMb: 7, insecure: true, host: '127.0.0.1' });
  expect(() => mergeSettings({ prot: 1 })).toThrow(/prot/);
  expect(() => mergeSettings({ port: 'many' })).toThrow(/port/);
});
