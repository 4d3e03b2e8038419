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
import { PROFILES, type Profile, totalBytes } from '../../src/model/manifest.ts';
import { CheckpointFolder } from '../../src/platform/node/checkpoint-folder.ts';
import { ModelFolderSink } from '../../src/platform/node/model-folder-sink.ts';
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

if (process.send !== undefined) {
  const [from = '', to = '', profile = 'fp32'] = process.argv.slice(2);
  process.send(await convertOnce(from, to, profile as Profile));
} else {
  await main(process.argv[2] ?? '4,4');
}
