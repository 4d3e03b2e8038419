// Throughput against concurrency, batched (all seats) and one by one (one seat), in one run, on real requests.
//
//   npx tsx test/bench/server.ts [model folder] [requests per point]

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { mergeSettings } from '../../src/server/config.ts';
import { startServer } from '../../src/server/serve.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CONCURRENCY = [1, 2, 4, 8, 16];

const sampleDir = process.argv[2] ?? join(ROOT, 'public/models/sample');
const requests = Number(process.argv[3] ?? 24);
const folder = join(ROOT, 'public/clips');
const clips = await Promise.all(
  (await readdir(folder)).filter((name) => name.endsWith('.wav')).map((name) => readFile(join(folder, name))),
);
const audioSeconds = clips.reduce((sum, clip) => sum + (clip.length - 44) / 32_000, 0) / clips.length;

console.log(
  `${requests} requests per point, ${clips.length} clips of ${audioSeconds.toFixed(1)} s on average`,
);
console.log('seats  clients  requests/s  x real time  p50 ms  p95 ms  max ms  event loop p99 ms');
for (const seats of [1, 16]) {
  const settings = mergeSettings({ port: 0, seats, parallel: 16, log: 'silent', keyFile: '/nowhere' });
  const places = { pageDir: ROOT, sampleDir, version: 'bench' };
  const server = await startServer(settings, places);
  await server.warm;
  const url = `${server.address.replace('localhost', '127.0.0.1')}/v1/audio/transcriptions`;
  await measured(url, 1, Math.min(4, requests));
  for (const clients of CONCURRENCY) {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const { seconds, latencies } = await measured(url, clients, requests);
    delay.disable();
    const perSecond = requests / seconds;
    const row = [
      String(seats).padStart(5),
      String(clients).padStart(8),
      perSecond.toFixed(2).padStart(11),
      (perSecond * audioSeconds).toFixed(1).padStart(12),
      ...[0.5, 0.95, 1].map((q) => quantile(latencies, q).toFixed(0).padStart(7)),
      ((delay.percentile(99) - 5e6) / 1e6).toFixed(1).padStart(18),
    ];
    console.log(row.join(' '));
  }
  await server.close();
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
      form.append('model', 'sample');
      form.append('file', new Blob([new Uint8Array(clip ?? [])]), 'clip.wav');
      const askedMs = performance.now();
      const response = await fetch(url, { method: 'POST', body: form });
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
