// Two thousand mixed requests: right ones, broken audio, clients that leave, engines that are killed. Every
// answer must be the right one, every failure in its dialect's shape, and nothing may be left behind.
//
//   npm run soak [-- requests]

import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { mergeSettings } from '../src/server/config.ts';
import { startServer } from '../src/server/serve.ts';

const ROOT = resolve(import.meta.dirname, '..');
const TOTAL = Number(process.argv[2] ?? 2000);
const CLIENTS = 8;
/** An engine is killed after this many requests. */
const KILL_EVERY = Math.min(250, Math.ceil(TOTAL / 8));

const folder = join(ROOT, 'public/clips');
const names = (await readdir(folder)).filter((name) => name.endsWith('.wav'));
const clips = await Promise.all(
  names.map(async (name) => ({ name, bytes: new Uint8Array(await readFile(join(folder, name))) })),
);
const settings = mergeSettings({
  port: 0,
  log: 'silent',
  keyFile: '/nowhere',
  waiting: 1000,
  waitingPerClient: 1000,
});
const server = await startServer(settings, {
  pageDir: ROOT,
  sampleDir: join(ROOT, 'public/models/sample'),
  version: 'soak',
});
await server.warm;
const url = server.address.replace('localhost', '127.0.0.1');

const expected = new Map<string, string>();
for (const { name, bytes } of clips) expected.set(name, (await answered(bytes)).text);

const outcomes = new Map<string, number>();
const wrong: string[] = [];
let seed = 20_261_127;
let next = 0;
let kills = 0;
/** Uploads of Gradio's clients, which stay for half an hour, for further calls. */
let kept = 0;
/** Requests under way, and those of them that a killed engine may have been reading. */
const running = new Set<number>();
let hit = new Set<number>();
/** After each tenth: memory of the server and of its engine, files and sockets that are open. */
const states: { serverMb: number; engineMb: number; descriptors: number }[] = [];
const startMs = performance.now();

await Promise.all(Array.from({ length: CLIENTS }, client));
await until(async () => server.parts.jobs.load.running === 0);
// Connections that clients keep open for a moment are theirs.
await new Promise((done) => setTimeout(done, 6_000));
const left = (await server.parts.uploads.count()) - kept;

console.log(
  `${TOTAL} requests in ${((performance.now() - startMs) / 1000).toFixed(0)} s, ${kills} engines killed`,
);
for (const [outcome, count] of [...outcomes].sort())
  console.log(`  ${String(count).padStart(5)}  ${outcome}`);
states.push(await stateNow());
const row = (name: keyof (typeof states)[number]): string =>
  states.map((state) => state[name].toFixed(0)).join(' ');
console.log(`after each tenth and at the end: memory of the server, MB: ${row('serverMb')}`);
console.log(`  memory of the engine (a new process after each kill), MB: ${row('engineMb')}`);
console.log(`  open files and sockets of the server: ${row('descriptors')}`);
console.log(
  `temporary files left: ${left} (kept for further Gradio calls: ${kept}); jobs left: ${server.parts.jobs.load.running}`,
);
for (const line of wrong.slice(0, 20)) console.log(`WRONG: ${line}`);
await server.close();
process.exitCode = wrong.length > 0 || left > 0 ? 1 : 0;

async function client(): Promise<void> {
  while (next < TOTAL) {
    const i = next++;
    if (i % KILL_EVERY === KILL_EVERY - 1) await killEngine();
    if (i % Math.ceil(TOTAL / 10) === 0) states.push(await stateNow());
    const clip = clips[i % clips.length];
    if (clip === undefined) return;
    running.add(i);
    try {
      const outcome = await request(clip);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      wrong.push(`request ${i}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      running.delete(i);
      hit.delete(i);
    }
  }
}

async function request({ name, bytes }: { name: string; bytes: Uint8Array<ArrayBuffer> }): Promise<string> {
  const dice = random();
  if (dice < 0.15) return broken(bytes);
  if (dice < 0.3) return leaving(bytes);
  if (dice < 0.45) return streamed(name, bytes);
  if (dice < 0.55) return gradio(name, bytes);
  const { text } = await answered(bytes);
  if (text !== expected.get(name)) throw new Error(`${name} came back as "${text}"`);
  return 'read';
}

async function answered(bytes: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<{ text: string }> {
  const response = await post(bytes, {}, signal);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as { text: string };
}

async function streamed(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const text = await (await post(bytes, { stream: 'true' })).text();
  const deltas = [...text.matchAll(/^data: (\{.*"transcript\.text\.delta".*\})$/gm)];
  const said = deltas.map(([, json]) => (JSON.parse(json ?? '') as { delta: string }).delta).join('');
  if (said !== expected.get(name)) throw new Error(`${name} was streamed as "${said}"`);
  return 'streamed';
}

async function gradio(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const form = new FormData();
  form.append('files', new Blob([bytes]), 'clip.wav');
  const [path] = (await (
    await fetch(`${url}/gradio_api/upload`, { method: 'POST', body: form })
  ).json()) as string[];
  kept++;
  const asked = await fetch(`${url}/gradio_api/run/transcribe`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ data: [{ path }] }),
  });
  const { data } = (await asked.json()) as { data: [string] };
  if (data[0] !== expected.get(name)) throw new Error(`${name} came back from Gradio as "${data[0]}"`);
  return 'read (Gradio)';
}

/** A recording cut, or with bytes turned over: read, or refused in OpenAI's shape. */
async function broken(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const copy = bytes.slice(0, Math.floor(random() * bytes.length));
  for (let i = 0; i < 20; i++)
    copy[Math.floor(random() * Math.min(copy.length, 100))] = Math.floor(random() * 256);
  const response = await post(copy);
  const body = (await response.json()) as { text?: string; error?: object };
  if (response.ok) return 'broken, read all the same';
  const keys = Object.keys(body.error ?? {})
    .sort()
    .join();
  if (keys !== 'code,message,param,type' || response.status >= 500) {
    throw new Error(`broken audio: ${response.status} ${JSON.stringify(body)}`);
  }
  return `broken, refused (${response.status})`;
}

/** A client that goes away at some moment. */
async function leaving(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), random() * 300);
  try {
    await answered(bytes, stop.signal);
    return 'left too late';
  } catch (error) {
    if (stop.signal.aborted) return 'left';
    throw error;
  }
}

function post(
  bytes: Uint8Array<ArrayBuffer>,
  fields: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const form = new FormData();
  form.append('file', new Blob([bytes]), 'clip.wav');
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return fetch(`${url}/v1/audio/transcriptions`, { method: 'POST', body: form, ...(signal && { signal }) });
}

async function killEngine(): Promise<void> {
  const [engine] = await server.parts.pool.loaded();
  // A job is read once more, not twice: nobody is hit a second time.
  if (engine === undefined || hit.size > 0) return;
  hit = new Set(running);
  kills++;
  process.kill(engine.pid, 'SIGKILL');
}

async function stateNow(): Promise<(typeof states)[number]> {
  const [engine] = await server.parts.pool.loaded();
  return {
    serverMb: process.memoryUsage().rss / 1e6,
    engineMb: engine === undefined ? 0 : await residentMb(engine.pid),
    descriptors: (await readdir('/proc/self/fd').catch(() => [])).length,
  };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200 && !(await isSo()); i++) await new Promise((done) => setTimeout(done, 50));
}

/** The same numbers in every run. */
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}
