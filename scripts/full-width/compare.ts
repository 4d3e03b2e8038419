// The converter at full width against the reference library: stand-ins with the official widths and one, then two
// layers, the same random weights; every profile's numbers beside the reference's, layer by layer.
//
//   npx tsx scripts/full-width/compare.ts WORK [--python PATH] [--layers 1,2] [--profiles fp32,q8q4,int8] [--webgpu]
//
// WORK takes 7 GB while it runs; --python needs scripts/sample-model/requirements.txt.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { convert } from '../../src/convert/convert.ts';
import { parseManifest, type Profile } from '../../src/model/manifest.ts';
import { CheckpointFolder } from '../../src/platform/node/checkpoint-folder.ts';
import { ModelFolderSink } from '../../src/platform/node/model-folder-sink.ts';
import { HOP_SAMPLES } from '../../src/signal/units.ts';
import { GraphRunner } from '../../test/fixtures/graph-runner.ts';
import { writeStandInCheckpoint } from '../../test/fixtures/stand-in-checkpoint.ts';
import { given, samples } from './given.ts';
import { readInChromium } from './in-chromium.ts';
import { errors, type Given, read, type Said } from '../../test/fixtures/full-width-reading.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    layers: { type: 'string', default: '1,2' },
    profiles: { type: 'string', default: 'fp32,q8q4,int8' },
    webgpu: { type: 'boolean', default: false },
  },
});
const [work] = positionals;
if (work === undefined) {
  process.stderr.write(
    'compare <work folder> [--python PATH] [--layers 1,2] [--profiles fp32,q8q4,int8] [--webgpu]\n',
  );
  process.exit(2);
}

async function reference(checkpoint: string, { config, features, prompt }: Given): Promise<Said> {
  const audio = new Array<number>(prompt.audioRows).fill(config.audioTokenId);
  const ids = [...prompt.prefix, ...audio, ...prompt.suffix];
  await writeFile(join(checkpoint, 'features.f32'), features);
  await writeFile(
    join(checkpoint, 'prompt.json'),
    JSON.stringify({ ids, frames: Math.ceil(samples.length / HOP_SAMPLES) }),
  );
  const script = join(import.meta.dirname, 'reference.py');
  const { status } = spawnSync(values.python, [script, checkpoint, checkpoint], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('the reference does not run');
  const floats = async (name: string): Promise<Float32Array> => {
    const bytes = await readFile(join(checkpoint, `${name}.f32`));
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  };
  return { states: await floats('states'), embeds: await floats('embeds'), logits: await floats('logits') };
}

/** What browsers load where they have a GPU. */
const ON_GPUS: Profile = 'q8q4';

async function convertTo(folder: string, checkpoint: string, profile: Profile): Promise<void> {
  const files = new CheckpointFolder(checkpoint);
  try {
    const sink = new ModelFolderSink(folder);
    await convert(files, sink, { profile, name: 'full-width', signal: new AbortController().signal });
  } finally {
    await files.close();
  }
}

async function readInNode(folder: string, both: Given): Promise<Said> {
  const manifest = parseManifest(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  const runner = await GraphRunner.open(ort, manifest, (path) => readFileSync(join(folder, path)));
  try {
    return await read(runner, both);
  } finally {
    await runner.release();
  }
}

process.stdout.write(
  '| layers | profile | read by | encoder | projector | logits |\n| --- | --- | --- | --- | --- | --- |\n',
);
for (const layers of values.layers.split(',').map(Number)) {
  const checkpoint = resolve(work, `layers-${layers}`);
  await mkdir(checkpoint, { recursive: true });
  await writeStandInCheckpoint(checkpoint, { audioLayers: layers, textLayers: layers });
  const both = await given(checkpoint);
  const theirs = await reference(checkpoint, both);
  for (const profile of values.profiles.split(',') as Profile[]) {
    const folder = `${checkpoint}-${profile}`;
    const report = (side: string, mine: Said): void => {
      const columns = (['states', 'embeds', 'logits'] as const).map((what) =>
        errors(theirs[what], mine[what]),
      );
      process.stdout.write(`| ${layers} | ${profile} | ${side} | ${columns.join(' | ')} |\n`);
    };
    try {
      await convertTo(folder, checkpoint, profile);
      report('Node, CPU', await readInNode(folder, both));
      if (values.webgpu && profile === ON_GPUS)
        report('Chromium, WebGPU', await readInChromium(folder, both));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  await rm(checkpoint, { recursive: true, force: true });
}
