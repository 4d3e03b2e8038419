// Writes a stand-in for the official checkpoint: everything as published, the numbers random (4.5 GB).
//
//   npx tsx scripts/stand-in-checkpoint.ts <folder> [--layers 32,28] [--seed 1] [--sure]

import { mkdir, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeStandInCheckpoint } from '../test/fixtures/stand-in-checkpoint.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layers: { type: 'string', default: '32,28' },
    seed: { type: 'string', default: '1' },
    sure: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
const [audioLayers, textLayers = audioLayers] = values.layers.split(',').map(Number);
if (folder === undefined || !(Number(audioLayers) >= 1 && Number(textLayers) >= 1)) {
  process.stderr.write(
    'stand-in-checkpoint <folder> [--layers <encoder>[,<decoder>]] [--seed <n>] [--sure]\n',
  );
  process.exit(2);
}

// Parameters per layer and of everything else, in bytes of bfloat16 (MODEL.md, "Tensors").
const neededBytes = 2 * (19_676_160 * Number(audioLayers) + 48_238_592 * Number(textLayers) + 277_525_504);
const disk = await statfs(await nearestFolder(folder));
if (disk.bavail * disk.bsize < neededBytes * 1.02) {
  process.stderr.write(
    `There is room for ${(disk.bavail * disk.bsize) / 1e9} GB, ${neededBytes / 1e9} GB are needed.\n`,
  );
  process.exit(1);
}

await mkdir(folder, { recursive: true });
const startMs = performance.now();
const bytes = await writeStandInCheckpoint(folder, {
  seed: Number(values.seed),
  audioLayers: Number(audioLayers),
  textLayers: Number(textLayers),
  sure: values.sure,
  onProgress: (doneBytes, totalBytes) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${((100 * doneBytes) / totalBytes).toFixed(0)} %`);
  },
});
const seconds = (performance.now() - startMs) / 1000;
process.stdout.write(
  `\r${folder}: model.safetensors ${(bytes / 1e9).toFixed(3)} GB in ${seconds.toFixed(1)} s\n`,
);

/** The folder itself, or what it would be made in: a disk without room is left as it was. */
async function nearestFolder(path: string): Promise<string> {
  let at = resolve(path);
  while (!(await stat(at).catch(() => undefined))) at = dirname(at);
  return at;
}
