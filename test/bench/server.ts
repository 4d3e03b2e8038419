// Throughput against concurrency, one by one (one seat) and batched (all seats), in one run, on real requests.
//
//   npx tsx test/bench/server.ts [model folder] [requests per point] [folder of recordings] [tokens per request]
//
// The server runs in a process of its own, so that its event loop is its own, too. What the loop's delay is
// without any work is said first: timers are coarse, and other programs run on this machine.

import { readFile, readdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { openAudioBytes } from '../../src/platform/node/decode-file.ts';
import { ended, serverProcess } from '../server/processes.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CONCURRENCY = [1, 2, 4, 8, 16];

const sampleDir = process.argv[2] ?? join(ROOT, 'public/models/sample');
const requests = Number(process.argv[3] ?? 24);
const folder = process.argv[4] ?? join(ROOT, 'public/clips');
const maxNewTokens = process.argv[5];
const names = (await readdir(folder)).filter((name) => /\.(wav|mp3|flac|ogg|opus|m4a)$/.test(name));
const clips = await Promise.all(names.map((name) => readFile(join(folder, name))));
const audioSeconds =
  (await Promise.all(clips.map(secondsOf))).reduce((sum, one) => sum + one, 0) / clips.length;

console.log(
  `${requests} requests per point (no fewer than clients), ${clips.length} clips of ${audioSeconds.toFixed(1)} s on average; load of the machine ${loadavg()[0]?.toFixed(1)}`,
);
const settings = { port: 0, parallel: 16, waiting: 1000, waitingPerClient: 1000 };
const servers = await Promise.all(
  [1, 16].map(async (seats) => ({
    seats,
    ...(await serverProcess({ sampleDir }, { ...settings, seats })),
  })),
);
for (const { url, seats } of servers) {
  await loopDelayMs(url);
  await measured(url, 1, Math.min(4, requests));
  await loopDelayMs(url);
  await new Promise((done) => setTimeout(done, 2_000));
  console.log(`event loop without work, ${seats} seats: p99 ${(await loopDelayMs(url)).toFixed(1)} ms`);
}
console.log('seats  clients  requests/s  x real time  p50 ms  p95 ms  p99 ms  event loop p99 ms');
// By turns, so that a change of the machine's mood is no difference between the two.
for (const clients of CONCURRENCY) {
  for (const { seats, url } of servers) {
    await loopDelayMs(url); // begins the next count
    const count = Math.max(requests, clients);
    const { seconds, latencies } = await measured(url, clients, count);
    const delayMs = await loopDelayMs(url);
    const perSecond = count / seconds;
    const row = [
      String(seats).padStart(5),
      String(clients).padStart(8),
      perSecond.toFixed(2).padStart(11),
      (perSecond * audioSeconds).toFixed(1).padStart(12),
      ...[0.5, 0.95, 0.99].map((q) => quantile(latencies, q).toFixed(0).padStart(7)),
      delayMs.toFixed(1).padStart(18),
    ];
    console.log(row.join(' '));
  }
}
await Promise.all(servers.map(({ child }) => ended(child)));

async function secondsOf(bytes: Uint8Array): Promise<number> {
  let samples = 0;
  for await (const block of (await openAudioBytes(bytes)).blocks()) samples += block.samples.length;
  return samples / 16_000;
}

/** How late the server's timers came since this was asked last, at the 99th percentile. */
async function loopDelayMs(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const seconds = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]);
  // The monitor tells the time between ticks, which are 10 ms apart.
  return Math.max(0, seconds * 1000 - 10);
}

async function measured(
  url: string,
  clients: number,
  count: number,
): Promise<{ seconds: number; latencies: number[] }> {
  const latencies: number[] = [];
  let next = 0;
  const startMs = performance.now();
  const client = async (): Promise<void> => {
    while (next < count) {
      const clip = clips[next++ % clips.length];
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(clip ?? [])]), 'clip.wav');
      if (maxNewTokens !== undefined) form.append('max_new_tokens', maxNewTokens);
      const askedMs = performance.now();
      const response = await fetch(`${url}/v1/audio/transcriptions`, { method: 'POST', body: form });
      if (!response.ok) throw new Error(await response.text());
      await response.text();
      latencies.push(performance.now() - askedMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { seconds: (performance.now() - startMs) / 1000, latencies: latencies.sort((a, b) => a - b) };
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}
