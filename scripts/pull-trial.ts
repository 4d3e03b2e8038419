// `sotto pull` of a checkpoint of full size, from a server on this machine that throttles, cuts lines, stalls and
// sends a wrong byte, while the program is killed again and again; then what came of it.
//
//   npx tsx scripts/pull-trial.ts <checkpoint-folder> <out-folder> [--profile q8q4] [--kills 3] [--wrong] [--mb-per-second 60]

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Fault, type ServedFiles, startServer } from '../test/platform/ill-behaved-server.ts';

const ROOT = resolve(import.meta.dirname, '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    profile: { type: 'string', default: 'q8q4' },
    kills: { type: 'string', default: '3' },
    wrong: { type: 'boolean', default: false },
    'mb-per-second': { type: 'string', default: 'Infinity' },
    calm: { type: 'boolean', default: false },
  },
});
const [folder = '', out = ''] = positionals;

/** Files of a folder, read as they are asked for. */
function filesOf(dir: string): ServedFiles {
  const handles = new Map<string, number>();
  const fileOf = (path: string): string => join(dir, path.slice(path.lastIndexOf('/') + 1));
  return {
    sizeOf: (path) => statSync(fileOf(path), { throwIfNoEntry: false })?.size,
    bytes: (path, startByte = 0, endByte = 0) => {
      const file = fileOf(path);
      const handle = handles.get(file) ?? openSync(file, 'r');
      handles.set(file, handle);
      const bytes = Buffer.allocUnsafe(endByte - startByte);
      readSync(handle, bytes, 0, bytes.length, startByte);
      return bytes;
    },
  };
}

const hash = createHash('sha256');
const weights = join(folder, 'model.safetensors');
for await (const part of createReadStream(weights, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
const size = statSync(weights).size;
const lfs = { oid: hash.digest('hex'), size };
const server = await startServer(filesOf(folder));
server.bytesPerSecond = 1e6 * Number(values['mb-per-second']);
server.pages.set('api/models/stand/in/tree/main', {
  type: 'application/json',
  body: JSON.stringify([{ type: 'file', path: 'model.safetensors', size, lfs }]),
});
let wrongLeft = values.wrong ? 1 : 0;
let answers = 0;
server.fault = ({ path, startByte }): Fault | undefined => {
  if (values.calm || !path.endsWith('.safetensors') || startByte === 0) return undefined;
  answers++;
  if (wrongLeft > 0 && startByte > size / 3) {
    wrongLeft--;
    return { type: 'wrong', atByte: startByte + 100 };
  }
  if (answers % 40 === 0) return { type: 'die', afterBytes: 1_500_000 };
  if (answers % 97 === 0) return { type: 'status', status: 503, headers: { 'retry-after': '1' } };
  if (answers % 311 === 0) return { type: 'stall', afterBytes: 500_000 };
  return undefined;
};

/** Peak of a process's resident memory so far, in MB. */
function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // it has ended
  }
}

let peak = 0;
const startMs = performance.now();
for (let left = Number(values.kills); ;) {
  const args = [
    'pull',
    '--source',
    'hf:stand/in',
    '--name',
    'stand-in',
    '--out',
    out,
    '--profile',
    values.profile,
  ];
  const child = spawn(process.execPath, ['dist/node/sotto.js', ...args], {
    cwd: ROOT,
    env: { ...process.env, HF_ENDPOINT: server.origin },
    stdio: 'inherit',
  });
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  const killAtByte = left > 0 ? server.sentBytes + size / (Number(values.kills) + 1.5) : Infinity;
  const watch = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid));
    if (server.sentBytes > killAtByte) child.kill('SIGKILL');
  }, 50);
  const code = await ended;
  clearInterval(watch);
  if (code !== null || left-- <= 0) {
    process.exitCode = code ?? 1;
    break;
  }
  console.log(`killed at ${(server.sentBytes / 1e9).toFixed(2)} GB sent`);
  await sleep(200);
}
const seconds = (performance.now() - startMs) / 1000;
console.log(
  `${values.profile}: ${seconds.toFixed(0)} s with ${values.kills} kills, ${(size / 1e6 / seconds).toFixed(0)} MB/s of ` +
    `the file, ${(server.sentBytes / size).toFixed(3)} of the file sent, peak ${peak.toFixed(0)} MB`,
);
await server.close();
