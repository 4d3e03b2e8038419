// What a page asks for a file that its browser cannot open: the sound itself.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAudioFile } from '../../src/platform/node/decode-file.ts';
import { unpackSound } from '../../src/wire/sound-bytes.ts';
import { CLIP, type TestApp, openTestApp } from './test-server.ts';

const SOUNDS = resolve(import.meta.dirname, '../fixtures/sounds');
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

let app: TestApp;

beforeAll(async () => {
  app = await openTestApp();
});
afterAll(() => app.close());

const send = (body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
  app.ask('/api/sound', { method: 'POST', body });

test('a recording comes back as the samples that our own decoder gives, and the upload goes', async () => {
  const response = await send(new Uint8Array(await readFile(CLIP)));
  expect(response.status).toBe(200);
  const sound = unpackSound(new Uint8Array(await response.arrayBuffer()));
  const expected: number[] = [];
  for await (const { samples } of (await openAudioFile(CLIP)).blocks()) expected.push(...samples);
  expect(sound.length).toBe(expected.length);
  expect(Math.max(...expected.map((sample, i) => Math.abs(sample - (sound[i] ?? 9))))).toBeLessThan(
    1 / 32_000,
  );
  expect(await app.parts.uploads.count()).toBe(0);
});

test.skipIf(!hasFfmpeg)('what only FFmpeg knows comes back, too', async () => {
  for (const name of ['windows.wma', 'lossless.m4a']) {
    const response = await send(new Uint8Array(await readFile(resolve(SOUNDS, name))));
    expect(response.status, name).toBe(200);
    const sound = unpackSound(new Uint8Array(await response.arrayBuffer()));
    expect(sound.length, name).toBeGreaterThan(4000);
    expect(Math.max(...sound), name).toBeGreaterThan(0.05);
  }
  expect(await app.parts.uploads.count()).toBe(0);
});

test('what is no sound is refused, a list of other files above all', async () => {
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://${CLIP}\n#EXT-X-ENDLIST\n`;
  const list = `ffconcat version 1.0\nfile ${CLIP}\n`;
  for (const body of [playlist, list, '%PDF-1.7', 'only words']) {
    const response = await send(body);
    expect(response.status, body).toBe(415);
    expect(await response.json()).toMatchObject({ type: 'error', code: 'audio-unsupported' });
  }
  expect(await app.parts.uploads.count()).toBe(0);
});
