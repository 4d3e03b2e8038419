// sotto pull as it ships: killed and started again, told off by servers that are none, two at once.

import { spawn } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MemorySink, memoryCheckpoint } from '../fixtures/memory-checkpoint.ts';
import { convert } from '../../src/convert/convert.ts';
import { temporaryFolder } from '../fixtures/seeded-dir.ts';
import { StandInRepository } from '../fixtures/stand-in-repository.ts';
import { type IllBehavedServer, startServer } from '../platform/ill-behaved-server.ts';
import './run-sotto.ts'; // builds the program

const PROGRAM = resolve(import.meta.dirname, '../../dist/node/sotto.js');

let repository: StandInRepository;
let server: IllBehavedServer;
let folder: string;

beforeAll(async () => {
  repository = await StandInRepository.make();
  server = await startServer(repository);
  server.pages.set('api/models/stand/in/tree/main', {
    type: 'application/json',
    body: repository.hubListing(),
  });
  folder = await temporaryFolder();
});
beforeEach(() => {
  server.fault = () => undefined;
  server.bytesPerSecond = Infinity;
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface PullOptions {
  readonly killed?: Promise<void>;
  readonly source?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Killed when `killed` resolves. */
function pull(out: string, { killed, source = 'hf:stand/in', env: more }: PullOptions = {}): Promise<Ended> {
  const args = [PROGRAM, 'pull', '--source', source, '--out', join(folder, out)];
  const env = { ...process.env, HF_ENDPOINT: server.origin, NO_PROXY: '127.0.0.1', ...more };
  const child = spawn(process.execPath, args, { env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  void killed?.then(() => child.kill('SIGKILL'));
  return new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr })));
}

/** Resolves when the weights' server has sent so much in all. */
async function sent(bytes: number): Promise<void> {
  while (server.sentBytes < bytes) await new Promise((next) => setTimeout(next, 2));
}

test('killed in the middle and started again, it makes the model that converting on the spot makes', async () => {
  const tokenizer = repository.sizeOf('tokenizer.json') ?? 0;
  server.bytesPerSecond = 3_000_000;
  const first = await pull('killed', { killed: sent(tokenizer + 900_000) });
  expect(first.code).toBe(null);
  const { code, stdout, stderr } = await pull('killed');
  expect(stderr).toMatch(/hf:stand\/in@main → q8q4\. Licence of the weights: unknown/);
  expect(stderr).toMatch(/in-q8q4: [\d.]+ MB; [\d.]+ MB read in .*, matches its published SHA-256\./);
  expect(code).toBe(0);
  const whole = stdout.trim();
  expect(whole).toBe(join(folder, 'killed', 'in-q8q4'));
  const expected = new MemorySink();
  const files = memoryCheckpoint(Object.fromEntries(repository.files));
  const { signal } = new AbortController();
  await convert(files, expected, { profile: 'q8q4', name: 'in', signal });
  const names = (await readdir(whole)).filter((name) => !name.startsWith('.'));
  expect(names.sort()).toEqual([...expected.files.keys()].sort());
  for (const name of names.filter((path) => path.endsWith('.bin'))) {
    expect((await readFile(join(whole, name))).equals(expected.file(name)), name).toBe(true);
  }
});

test('a proxy that the environment names carries all of it, and nothing goes past one that is gone', async () => {
  const carried: string[] = [];
  const proxy = createServer().on('connect', (request, socket, head: Buffer) => {
    carried.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const env = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, NO_PROXY: '' };
  const { code, stdout } = await pull('through-proxy', { env });
  expect(code).toBe(0);
  expect(stdout.trim()).toBe(join(folder, 'through-proxy', 'in-q8q4'));
  expect(new Set(carried)).toEqual(new Set([new URL(server.origin).host]));
  await new Promise((resolve) => proxy.close(resolve));

  const before = server.sentBytes;
  const alone = await pull('without-proxy', { env, killed: new Promise((go) => setTimeout(go, 5000)) });
  expect(alone.code).not.toBe(0);
  expect(server.sentBytes).toBe(before);
});

test('a repository that is none is told in one line, with an exit code of its own', async () => {
  server.fault = () => ({ type: 'web-page' });
  const { code, stderr } = await pull('never');
  expect(code).toBe(50);
  expect(stderr.trim().split('\n')[1]).toMatch(/answers with a web page.*Check the connection/);
  expect((await pull('never', { source: 'hf:' })).code).toBe(2);
});
