import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesOf, parseManifest } from '../../src/model/manifest.ts';
import { mergeSettings } from '../../src/server/config.ts';
import { startServer } from '../../src/server/serve.ts';
import { type TestApp, openTestApp, testPlaces } from './test-server.ts';

let app: TestApp;

beforeAll(async () => {
  app = await openTestApp();
});
afterAll(() => app.close());

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return app.ask(path, { headers });
}

async function firstShard(): Promise<{ path: string; bytes: number; sha256: string }> {
  const manifest = parseManifest(await (await get('/models/sample/manifest.json')).json());
  const shard = filesOf(manifest).find(({ path }) => path.startsWith('weights-'));
  if (shard === undefined) throw new Error('the seeded model has a shard');
  return shard;
}

describe('the page', () => {
  test('comes isolated and with a policy that lets nothing foreign run', async () => {
    const response = await get('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/html/);
    expect(response.headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
    expect(response.headers.get('Cross-Origin-Embedder-Policy')).toBe('require-corp');
    const policy = response.headers.get('Content-Security-Policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("'unsafe-eval'");
  });

  test('is asked after each time, its hashed parts never again', async () => {
    const page = await get('/index.html');
    expect(page.headers.get('Cache-Control')).toBe('no-cache');
    const etag = page.headers.get('ETag') ?? '';
    expect((await get('/index.html', { 'If-None-Match': etag })).status).toBe(304);
    const part = await get('/assets/main-abc123.js');
    expect(part.headers.get('Cache-Control')).toContain('immutable');
    expect(part.headers.get('Content-Type')).toMatch(/javascript/);
  });

  test('is all that can be read: no hidden file, nothing above its folder', async () => {
    const foreign = ['/.built', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/assets/..%2f..%2fsecret.txt'];
    for (const path of [...foreign, '/%00', '/%ff', '/missing', '/assets/']) {
      expect((await get(path)).status, path).toBe(404);
    }
  });
});

describe('weights', () => {
  test('come whole, with their hash as validator, for ever', async () => {
    const shard = await firstShard();
    const response = await get(`/models/sample/${shard.path}`);
    expect((await response.arrayBuffer()).byteLength).toBe(shard.bytes);
    expect(response.headers.get('ETag')).toBe(`"${shard.sha256}"`);
    expect(response.headers.get('Cache-Control')).toContain('immutable');
    expect(response.headers.get('Accept-Ranges')).toBe('bytes');
  });

  test('come in parts: first, middle, last, and nothing past the end', async () => {
    const shard = await firstShard();
    const whole = new Uint8Array(await (await get(`/models/sample/${shard.path}`)).arrayBuffer());
    const parts: [string, number, number][] = [
      ['bytes=0-99', 0, 100],
      ['bytes=100-', 100, shard.bytes],
      ['bytes=-7', shard.bytes - 7, shard.bytes],
      [`bytes=10-${shard.bytes + 50}`, 10, shard.bytes],
    ];
    for (const [range, start, end] of parts) {
      const response = await get(`/models/sample/${shard.path}`, { Range: range });
      expect(response.status, range).toBe(206);
      expect(response.headers.get('Content-Range')).toBe(`bytes ${start}-${end - 1}/${shard.bytes}`);
      expect(response.headers.get('Content-Length')).toBe(String(end - start));
      const bytes = new Uint8Array(await response.arrayBuffer());
      expect(Buffer.compare(bytes, whole.subarray(start, end)), range).toBe(0);
    }
    const past = await get(`/models/sample/${shard.path}`, { Range: `bytes=${shard.bytes}-` });
    expect(past.status).toBe(416);
    expect(past.headers.get('Content-Range')).toBe(`bytes */${shard.bytes}`);
  });

  test('come whole when they are no longer what the asker began to fetch', async () => {
    const shard = await firstShard();
    const ask = (etag: string): Promise<Response> =>
      get(`/models/sample/${shard.path}`, { Range: 'bytes=5-9', 'If-Range': etag });
    expect((await ask('"another"')).status).toBe(200);
    expect((await ask(`"${shard.sha256}"`)).status).toBe(206);
  });

  test('are listed for the page, and only what a manifest names can be had', async () => {
    // The sample model is known to every page; others would be in this list.
    expect(await (await get('/models/models.json')).json()).toEqual([]);
    const foreign = ['sample/other.bin', 'nobody/manifest.json', 'sample/..%2f..%2fsecret.txt'];
    for (const path of foreign) expect((await get(`/models/${path}`)).status, path).toBe(404);
  });
});

test('a server on a port answers, and a second one on it is told which port is free', async () => {
  const places = await testPlaces();
  const settings = { port: 0, warmUp: false, log: 'silent', keyFile: '/nowhere/keys.json' };
  const server = await startServer(mergeSettings(settings), places);
  try {
    const port = Number(new URL(server.address).port);
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(await health.json()).toMatchObject({ status: 'ok', version: '1.2.3', models: ['sample'] });
    await expect(startServer(mergeSettings(settings, { port }), places)).rejects.toMatchObject({
      code: 'port-taken',
      message: expect.stringMatching(/--port \d+/) as unknown,
    });
  } finally {
    await server.close();
  }
});
