// A model of full size on this machine's CPU, beside what the machine can do at all: bounds and stages are measured
// in the same run, a bound before and after each stage, so that a noisy neighbour shows.
//
//   npm run bench:full -- <model folder>

import { resolve } from 'node:path';
import { encodeModel, type OnnxGraph } from '../../src/convert/onnx.ts';
import { loadModel } from '../../src/model/load.ts';
import type { Sequence } from '../../src/model/decoder-runs.ts';
import { totalBytes } from '../../src/model/manifest.ts';
import { openModelDir } from '../../src/platform/node/model-dir.ts';
import { createNodeRuntime, memoryFile } from '../../src/platform/node/ort.ts';
import { parseManifest } from '../../src/model/manifest.ts';

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write('bench:full <model folder> (SPEED.md, "Full size", says how to make one)\n');
  process.exit(2);
}
const STEPS = Number(process.env.STEPS ?? 12);
const AUDIO_ROWS = 375;
const runtime = createNodeRuntime({ provider: 'cpu' });

/** x [m, k] times w [k, n] in float32, by the same runtime. */
async function product(m: number, k: number, n: number): Promise<() => Promise<number>> {
  const value = (name: string, shape: number[]): OnnxGraph['inputs'][number] => ({
    name,
    type: 'float32',
    shape,
  });
  const graph: OnnxGraph = {
    name: 'bound',
    inputs: [value('x', [m, k]), value('w', [k, n])],
    outputs: [value('y', [m, n])],
    nodes: [
      { name: 'product', op: 'MatMul', domain: '', attributes: {}, inputs: ['x', 'w'], outputs: ['y'] },
    ],
    initializers: [],
  };
  const session = await runtime.createSession({
    graph: memoryFile('bound.onnx', encodeModel(graph, 'bench')),
    shards: [],
    onDevice: [],
  });
  const x = runtime.tensor('float32', new Float32Array(m * k).fill(0.5), [m, k]);
  const w = runtime.tensor('float32', new Float32Array(k * n).fill(0.25), [k, n]);
  return async () => {
    const seconds = await timed(async () => (await session.run({ x, w }, ['y'])).y?.dispose());
    return seconds;
  };
}

/** The same in eight bits, as `int8` computes: x quantised on the way, w stored. */
async function integerProduct(m: number, k: number, n: number): Promise<() => Promise<number>> {
  const weights = new Uint8Array(k * n).map((_, i) => i % 251);
  const graph: OnnxGraph = {
    name: 'bound',
    inputs: [{ name: 'x', type: 'float32', shape: [m, k] }],
    outputs: [{ name: 'y', type: 'int32', shape: [m, n] }],
    nodes: [
      {
        ...{ name: 'quantize', op: 'DynamicQuantizeLinear', domain: '', attributes: {} },
        ...{ inputs: ['x'], outputs: ['xq', 'scale', 'zero'] },
      },
      {
        ...{ name: 'product', op: 'MatMulInteger', domain: '', attributes: {} },
        ...{ inputs: ['xq', 'w', 'zero'], outputs: ['y'] },
      },
    ],
    initializers: [{ name: 'w', type: 'int8', dims: [k, n], data: weights }],
  };
  const session = await runtime.createSession({
    graph: memoryFile('bound.onnx', encodeModel(graph, 'bench')),
    shards: [],
    onDevice: [],
  });
  const x = runtime.tensor(
    'float32',
    new Float32Array(m * k).map((_, i) => Math.sin(i)),
    [m, k],
  );
  return () => timed(async () => (await session.run({ x }, ['y'])).y?.dispose());
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

async function best(run: () => Promise<number>, times = 3): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < times; i++) least = Math.min(least, await run());
  return least;
}

const runEncoderProduct = await product(1500, 1280, 5120);
const runDecoderProduct = await product(390, 2048, 6144);
const runStream = await product(1, 8192, 8192);
const gemmEncoder = async (): Promise<number> =>
  (2 * 1500 * 1280 * 5120) / (await best(runEncoderProduct)) / 1e9;
const gemmDecoder = async (): Promise<number> =>
  (2 * 390 * 2048 * 6144) / (await best(runDecoderProduct)) / 1e9;
const runIntegers = await integerProduct(1500, 1280, 5120);
const gemmIntegers = async (): Promise<number> => (2 * 1500 * 1280 * 5120) / (await best(runIntegers)) / 1e9;
/** A product with one row reads its matrix and does little else. */
const readSpeed = async (): Promise<number> => (4 * 8192 * 8192) / (await best(runStream, 5)) / 1e9;

const rows: Record<string, unknown>[] = [];
async function stage(
  name: string,
  unit: string,
  bound: () => Promise<number>,
  measure: () => Promise<{ seconds: number; amount: number }>,
): Promise<void> {
  const before = await bound();
  const { seconds, amount } = await measure();
  const after = await bound();
  const reached = amount / seconds / 1e9;
  rows.push({
    stage: name,
    seconds: Number(seconds.toFixed(3)),
    reached: `${reached.toFixed(1)} ${unit}`,
    bound: `${before.toFixed(1)} … ${after.toFixed(1)}`,
    'share of bound': Number((reached / ((before + after) / 2)).toFixed(2)),
    steady: Math.abs(before - after) <= 0.2 * Math.max(before, after),
  });
}

function rssMb(): number {
  return Math.round(process.memoryUsage().rss / 1e6);
}

const files = await openModelDir(resolve(folder));
const manifest = parseManifest(await files.manifest());
const startRss = rssMb();
let model!: Awaited<ReturnType<typeof loadModel>>;
const loadSeconds = await timed(async () => (model = await loadModel(files, runtime)));
const weights = Math.round(totalBytes(manifest) / 1e6);
console.log(
  `${manifest.name} ${manifest.profile}: ${weights} MB on disk, loaded in ${loadSeconds.toFixed(1)} s, RSS +${rssMb() - startRss} MB`,
);

const { audio, text } = manifest.config;
const layerProducts = 4 * audio.hiddenSize ** 2 + 2 * audio.hiddenSize * audio.intermediateSize;
const encoderFlop =
  audio.layers * (2 * 1500 * layerProducts + 4 * 1500 ** 2 * audio.hiddenSize) +
  2 * 375 * (5120 * 4096 + 4096 * 2048);
const textParameters =
  text.layers *
  ((2 * text.heads + 2 * text.kvHeads) * text.headDim * text.hiddenSize +
    3 * text.hiddenSize * text.intermediateSize);
const features = new Float32Array(audio.melBins * 3000);
for (let i = 0; i < features.length; i++) features[i] = Math.sin(0.013 * i) / 2;

let embeds!: Awaited<ReturnType<typeof model.encoder.encode>>;
await stage('encoder, 30 s', 'GFLOP/s', gemmEncoder, async () => {
  const seconds = await timed(async () => (embeds = await model.encoder.encode(features, 1, 3000)));
  return { seconds, amount: encoderFlop };
});

const prompt = model.prompt();
const sequence: Sequence = { prompt, audioRows: [0, AUDIO_ROWS] };
const positions = prompt.prefix.length + AUDIO_ROWS + prompt.suffix.length;
for (const batch of [1, 4]) {
  const sequences = Array.from({ length: batch }, () => sequence);
  let ids: number[] = [];
  await stage(`prefill, ${batch} × ${positions}`, 'GFLOP/s', gemmDecoder, async () => {
    const seconds = await timed(async () => {
      ids = (await model.decoder.prefill(sequences, embeds, STEPS + 1)).map(({ id }) => id);
    });
    return { seconds, amount: batch * 2 * positions * textParameters };
  });
  const decoderShards = new Set(
    manifest.graphs.find((pair) => pair.activation === 'float32')?.decoder.shards,
  );
  const decoderBytes = manifest.shards
    .filter(({ path }) => decoderShards.has(path))
    .reduce((sum, { bytes }) => sum + bytes, 0);
  await stage(`decode, batch ${batch}, per token`, 'GB/s', readSpeed, async () => {
    const times: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      times.push(await timed(async () => (ids = (await model.decoder.step(ids)).map(({ id }) => id))));
    }
    const seconds = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
    console.log(`batch ${batch}: ${(batch / seconds).toFixed(2)} tokens/s (median of ${STEPS} steps)`);
    return { seconds, amount: decoderBytes };
  });
}
console.log(`peak RSS ${Math.round(process.resourceUsage().maxRSS / 1000)} MB`);
console.table(rows);
const [floats, integers] = [await gemmEncoder(), await gemmIntegers()];
console.log(
  `products of 1500 × 1280 × 5120: ${floats.toFixed(0)} GFLOP/s in float32, ${integers.toFixed(0)} in eight bits`,
);

embeds.dispose();
await model.release();
await runtime.release();
