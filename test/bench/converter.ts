// How fast the converter is and how much memory it takes, per profile, beside what the disk alone would need:
// a checkpoint of full width and few layers, from disk to disk, each profile in a process of its own.
//
//   npx tsx test/bench/converter.ts [encoder layers,decoder layers]      default 4,4: 1.1 GB

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convert } from '../../src/convert/convert.ts';
import {
  BLOCK,
  decodeStored,
  quantizeBlocks4,
  quantizeBlocks8,
  quantizeInt8Columns,
} from '../../src/convert/quantize.ts';
import { PROFILES, type Profile, totalBytes } from '../../src/model/manifest.ts';
import { CheckpointFolder } from '../../src/platform/node/checkpoint-folder.ts';
import { ModelFolderSink } from '../../src/platform/node/model-folder-sink.ts';
import { whiteNoise } from '../signal/signals.ts';
import { writeStandInCheckpoint } from '../fixtures/stand-in-checkpoint.ts';

interface Result {
  readonly seconds: number;
  readonly storedBytes: number;
  readonly peakBytes: number;
}

/** In a process of its own: one conversion. */
async function convertOnce(from: string, to: string, profile: Profile): Promise<Result> {
  const files = new CheckpointFolder(from);
  const startMs = performance.now();
  const signal = new AbortController().signal;
  const manifest = await convert(files, new ModelFolderSink(to), { profile, name: 'stand-in', signal });
  await files.close();
  return {
    seconds: (performance.now() - startMs) / 1000,
    storedBytes: totalBytes(manifest),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

async function readSeconds(path: string): Promise<number> {
  const startMs = performance.now();
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 22 })) void piece;
  return (performance.now() - startMs) / 1000;
}

async function main(layers: string): Promise<void> {
  const [audioLayers = 4, textLayers = 4] = layers.split(',').map(Number);
  const folder = await mkdtemp(join(tmpdir(), 'sotto-bench-'));
  try {
    const checkpoint = join(folder, 'checkpoint');
    const bytes = await writeStandInCheckpoint(checkpoint, { audioLayers, textLayers });
    const seconds = await readSeconds(join(checkpoint, 'model.safetensors'));
    console.log(
      `${(bytes / 1e6).toFixed(0)} MB of bfloat16; reading alone ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`,
    );
    const rows = [];
    for (const profile of PROFILES) {
      const child = fork(import.meta.filename, [checkpoint, join(folder, profile), profile]);
      const [result] = (await once(child, 'message')) as [Result];
      rows.push({
        profile,
        'MB/s in': Math.round(bytes / 1e6 / result.seconds),
        'stored MB': Math.round(result.storedBytes / 1e6),
        'peak MB': Math.round(result.peakBytes / 1e6),
      });
      await rm(join(folder, profile), { recursive: true });
    }
    console.table(rows);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The arithmetic alone, on one core, as scripts/full-width/numpy_quantize.py does it: a chunk in memory, again and again. */
function quantiseAlone(megabytes: number): void {
  const [count, columns] = [512, 2048];
  const stored = new Uint8Array(
    Uint16Array.from(whiteNoise(count * columns, 0.02), (x) => bfloat16(x)).buffer,
  );
  const data = new Float32Array(count * columns);
  const rows = { data, count, stride: columns, firstColumn: 0, columns };
  const blocks = { quants: new Uint8Array(data.length), scales: new Uint16Array(data.length / BLOCK) };
  const whole = { quants: new Int8Array(data.length), scales: new Float32Array(count) };
  const ways: Record<string, () => void> = {
    '8 bits, blocks': () => quantizeBlocks8(rows, blocks, 0),
    '4 bits, blocks': () => quantizeBlocks4(rows, blocks, 0, 'largest'),
    '8 bits, rows turned into columns': () => quantizeInt8Columns(rows, whole, 0, count),
  };
  const rounds = Math.ceil((megabytes * 1e6) / stored.length);
  for (const [name, quantize] of Object.entries(ways)) {
    const startMs = performance.now();
    for (let round = 0; round < rounds; round++) {
      decodeStored('BF16', stored, data, 0);
      quantize();
    }
    const seconds = (performance.now() - startMs) / 1000;
    console.log(
      `${name}: ${((rounds * stored.length) / 1e6 / seconds).toFixed(0)} MB/s of bfloat16, quantised alone`,
    );
  }
}

function bfloat16(value: number): number {
  return (new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0) >>> 16;
}

if (process.send !== undefined) {
  const [from = '', to = '', profile = 'fp32'] = process.argv.slice(2);
  process.send(await convertOnce(from, to, profile as Profile));
} else {
  quantiseAlone(600);
  await main(process.argv[2] ?? '4,4');
}
