// The converter at full width against the reference library: stand-ins with the official widths and one, then two
// layers, the same random weights; every profile's numbers beside the reference's, layer by layer.
//
//   npx tsx scripts/full-width/compare.ts WORK [--python PATH] [--layers 1,2] [--profiles fp32,q8q4,int8]
//
// WORK takes 7 GB while it runs; --python needs scripts/sample-model/requirements.txt.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { convert } from '../../src/convert/convert.ts';
import { type ModelConfig, parseConfig } from '../../src/model/config.ts';
import { audioRowsFor } from '../../src/model/audio-rows.ts';
import { parseManifest, type Profile } from '../../src/model/manifest.ts';
import { renderPrompt } from '../../src/model/prompt.ts';
import { CheckpointFolder } from '../../src/platform/node/checkpoint-folder.ts';
import { ModelFolderSink } from '../../src/platform/node/model-folder-sink.ts';
import { windowFeatures } from '../../src/signal/log-mel.ts';
import { HOP_SAMPLES } from '../../src/signal/units.ts';
import { Tokenizer } from '../../src/text/tokenizer.ts';
import { distance, GraphRunner, type Prompt, promptFeeds } from '../../test/fixtures/graph-runner.ts';
import { writeStandInCheckpoint } from '../../test/fixtures/stand-in-checkpoint.ts';
import { whiteNoise } from '../../test/signal/signals.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    layers: { type: 'string', default: '1,2' },
    profiles: { type: 'string', default: 'fp32,q8q4,int8' },
  },
});
const [work] = positionals;
if (work === undefined) {
  process.stderr.write('compare <work folder> [--python PATH] [--layers 1,2] [--profiles fp32,q8q4,int8]\n');
  process.exit(2);
}

/** Four seconds of noise that swells and fades, so that frames differ. */
const samples = whiteNoise(64_000, 0.3).map((x, n) => x * Math.abs(Math.sin(n / 5000)));

/** Everything that both sides are given. */
interface Given {
  readonly config: ModelConfig;
  readonly features: Float32Array;
  readonly prompt: Prompt;
}

/** Everything that both sides say. */
interface Said {
  readonly states: Float32Array;
  readonly embeds: Float32Array;
  readonly logits: Float32Array;
}

async function given(checkpoint: string): Promise<Given> {
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(checkpoint, name), 'utf8'));
  const config = parseConfig(await json('config.json'));
  const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
  const { prefix, suffix } = renderPrompt(tokenizer, 'Please transcribe this audio into text');
  return {
    config,
    features: windowFeatures(samples, { melBins: config.audio.melBins }),
    prompt: { prefix, suffix, audioRows: audioRowsFor(samples.length) },
  };
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

async function ours(
  checkpoint: string,
  profile: Profile,
  { config, features, prompt }: Given,
): Promise<Said> {
  const folder = `${checkpoint}-${profile}`;
  const files = new CheckpointFolder(checkpoint);
  try {
    const sink = new ModelFolderSink(folder);
    await convert(files, sink, { profile, name: 'full-width', signal: new AbortController().signal });
    const manifest = parseManifest(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
    const runner = await GraphRunner.open(ort, manifest, (path) => readFileSync(join(folder, path)));
    const { states, embeds } = await runner.encode(features, 1);
    const audio = embeds.slice(0, prompt.audioRows * config.text.hiddenSize);
    runner.reset();
    const feeds = promptFeeds(prompt);
    const length = feeds.index.length;
    const { logits } = await runner.decode({ ...feeds, audio, sel: [length - 1], lengths: [length] });
    await runner.release();
    return { states, embeds: audio, logits };
  } finally {
    await files.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Largest absolute difference, and the difference's share of the whole (root mean square). */
function errors(theirs: Float32Array, mine: Float32Array): string {
  let difference = 0;
  let power = 0;
  theirs.forEach((x, i) => {
    difference += (x - (mine[i] ?? NaN)) ** 2;
    power += x * x;
  });
  const share = Math.sqrt(difference / power);
  return `${distance(theirs, mine).toExponential(1)} (${(100 * share).toPrecision(2)} %)`;
}

process.stdout.write(
  '| layers | profile | encoder | projector | logits |\n| --- | --- | --- | --- | --- |\n',
);
for (const layers of values.layers.split(',').map(Number)) {
  const checkpoint = resolve(work, `layers-${layers}`);
  await mkdir(checkpoint, { recursive: true });
  await writeStandInCheckpoint(checkpoint, { audioLayers: layers, textLayers: layers });
  const both = await given(checkpoint);
  const theirs = await reference(checkpoint, both);
  for (const profile of values.profiles.split(',') as Profile[]) {
    const mine = await ours(checkpoint, profile, both);
    const columns = (['states', 'embeds', 'logits'] as const).map((what) => errors(theirs[what], mine[what]));
    process.stdout.write(`| ${layers} | ${profile} | ${columns.join(' | ')} |\n`);
  }
  await rm(checkpoint, { recursive: true, force: true });
}
