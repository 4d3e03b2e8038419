// A server that reads in the browser's place: chosen, named as long as it reads, left again.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../../scripts/prepare.mjs';
import { drop, goHome, readText, visit } from './visitor.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CLIP = 'zh_speak-softly';
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

let server: ReturnType<typeof spawn>;
let address = '';

beforeAll(async () => {
  ensureBuilt('node');
  const options = ['serve', '--port', '0', '--key-file', '/nowhere/keys.json'];
  server = spawn(process.execPath, ['dist/node/sotto.js', ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (server.stdout === null) throw new Error('its output is read');
  for await (const line of createInterface(server.stdout)) {
    address = /http:\S+/.exec(line)?.[0] ?? '';
    if (address !== '') break;
  }
}, 120_000);
afterAll(async () => {
  server.kill('SIGINT');
  await once(server, 'exit');
}, 60_000);

test('a server is offered by the page that came from it, reads in place of the browser, and opens files that the browser cannot', async () => {
  const visitor = await visit();
  const { page } = visitor;
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(`${address}/`);
  const footer = page.getByRole('contentinfo');
  await page.getByRole('button', { name: 'This page comes from a Sotto server' }).waitFor();

  // A kind of file that no decoder here knows: the offer stands beside what went wrong.
  const name = 'windows.wma';
  await drop(page, [{ name, bytes: await readFile(resolve(ROOT, 'test/fixtures/sounds', name)) }]);
  const row = page.locator('.row').filter({ hasText: name });
  await row.getByText('A Sotto server may be able to open it, if its computer has FFmpeg.').waitFor();
  await row.getByRole('button', { name: 'Let a server read instead' }).click();
  await page.getByRole('button', { name: 'Send audio there' }).click();
  const badge = footer.getByRole('button', { name: `Audio goes to ${new URL(address).host}` });
  await badge.waitFor();
  await page.keyboard.press('Escape');
  await row.getByRole('button', { name: 'Try again' }).click();
  if (hasFfmpeg) {
    await page.getByText('Opened by the server: this browser has no decoder for it.').waitFor();
    await goHome(page);
  } else await row.getByText('This is no kind of sound that Sotto can read.').waitFor();
  await expect.poll(() => row.getAttribute('data-state')).toBe(hasFfmpeg ? 'done' : 'failed');
  const bytes = await readFile(resolve(ROOT, `public/clips/${CLIP}.wav`));
  await drop(page, [{ name: `${CLIP}.wav`, bytes }]);
  const said = await readFile(resolve(ROOT, `public/clips/${CLIP}.txt`), 'utf8');
  expect(await readText(page)).toEqual([said.trim()]);
  expect(sockets.every((url) => url === `${address.replace('http', 'ws')}/api/engine`)).toBe(true);
  expect(sockets.length).toBeGreaterThan(0);
  await badge.click();
  await page.getByRole('button', { name: 'Read on this device again' }).click();
  await footer.getByRole('button', { name: 'On this device' }).waitFor();
  expect(visitor.complaints).toEqual([]);
  await visitor.leave();
});
