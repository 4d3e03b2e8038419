// What the parts of the signal path do to the model's input, measured without a model:
//
//   npx tsx scripts/measure-front-end.ts ../shared/audio
//
// Every recording of speech in the folder is brought to a level, rounded to 16 bits, treated, and its features
// (as the encoder gets them, 1.0 = 40 dB) are compared with those of the same recording at −20 dBFS, untreated,
// over the frames in which somebody speaks. 0 means that the model sees the same as at an ordinary level.

import { readClips } from '../src/eval/clips.ts';
import { preFilter } from '../src/eval/engines/pre-filters.ts';
import { readSamples } from '../src/eval/read-audio.ts';
import { gainOf, speechLevel } from '../src/eval/scenes/active-level.ts';
import { SeededRandom } from '../src/eval/seeded-random.ts';
import { makeNoise } from '../src/eval/scenes/noise.ts';
import { to16Bit } from '../src/eval/wav-bytes.ts';
import { conditioned } from '../src/signal/front-end.ts';
import { windowFeatures } from '../src/signal/log-mel.ts';
import { FRAMES_PER_SECOND, HOP_SAMPLES, SAMPLE_RATE } from '../src/signal/units.ts';

const MEL_BINS = 128;
const REFERENCE_DBFS = -20;
const LEVELS_DBFS = [-10, -20, -45, -60, -65];
/** So much of every recording. */
const SECONDS = 6;
const FRAMES = SECONDS * FRAMES_PER_SECOND;
/** A knock on the table before the first word. */
const KNOCK_PEAK = 0.7;

type Treatment = (samples: Float32Array) => Promise<Float32Array>;

const gain: Treatment = async (samples) => {
  const treated = new Float32Array(samples.length);
  for await (const block of conditioned([samples], { sampleRate: SAMPLE_RATE })) {
    treated.set(block.samples.subarray(0, samples.length - block.startSample), block.startSample);
  }
  return treated;
};

const TREATMENTS: Readonly<Record<string, Treatment>> = {
  none: (samples) => Promise.resolve(samples),
  gain,
  'peak normalization': (samples) => Promise.resolve(preFilter(samples, 'peak')),
  'band 300–3000 Hz': (samples) => Promise.resolve(preFilter(samples, 'band')),
  'band, then gain': (samples) => gain(preFilter(samples, 'band')),
};

interface Recording {
  readonly sound: Float32Array;
  readonly features: Float32Array;
  /** Frames in which somebody speaks. */
  readonly speech: readonly number[];
}

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: npx tsx scripts/measure-front-end.ts FOLDER');
const recordings = await speechIn(folder);
const heads = LEVELS_DBFS.map((level) => `${level}`.replace('-', '−'));
process.stdout.write(`${recordings.length} recordings; mean distance of the features\n\n`);
row('treatment', [...heads, '−45, knock', '−45 in −70']);
row(
  '---',
  LEVELS_DBFS.concat(0, 0).map(() => '--:'),
);
for (const [name, treat] of Object.entries(TREATMENTS)) {
  const cells: number[] = [];
  for (const level of LEVELS_DBFS) cells.push(await meanDistance(treat, (sound) => atLevel(sound, level)));
  cells.push(await meanDistance(treat, (sound) => withKnock(atLevel(sound, -45))));
  cells.push(await meanDistance(treat, (sound) => inNoise(atLevel(sound, -45), -70)));
  row(
    name,
    cells.map((cell) => cell.toFixed(2)),
  );
}

function row(name: string, cells: readonly string[]): void {
  process.stdout.write(`| ${[name, ...cells].join(' | ')} |\n`);
}

/** Recordings with a text: their beginnings, what the model sees of them, and where somebody speaks. */
async function speechIn(path: string): Promise<Recording[]> {
  const { clips } = await readClips(path);
  const found: Recording[] = [];
  for (const clip of clips) {
    const samples = await readSamples(clip.path).catch(() => undefined); // malformed ones are no speech
    if (samples === undefined || samples.length < SAMPLE_RATE) continue;
    const sound = samples.slice(0, SECONDS * SAMPLE_RATE);
    const reference = atLevel(sound, REFERENCE_DBFS);
    found.push({ sound, features: featuresOf(reference), speech: await speechFrames(reference) });
  }
  return found;
}

async function meanDistance(
  treat: Treatment,
  prepare: (sound: Float32Array) => Float32Array,
): Promise<number> {
  let sum = 0;
  for (const { sound, features, speech } of recordings) {
    const treated = await treat(rounded(prepare(sound)));
    sum += distance(features, featuresOf(treated), speech);
  }
  return sum / recordings.length;
}

function featuresOf(samples: Float32Array): Float32Array {
  return windowFeatures(samples, { melBins: MEL_BINS, frames: FRAMES });
}

/** Mean absolute difference over the frames given. */
function distance(a: Float32Array, b: Float32Array, frames: readonly number[]): number {
  let sum = 0;
  for (const frame of frames) {
    for (let band = 0; band < MEL_BINS; band++) {
      const at = band * FRAMES + frame;
      sum += Math.abs((a[at] ?? 0) - (b[at] ?? 0));
    }
  }
  return sum / (frames.length * MEL_BINS || 1);
}

async function speechFrames(samples: Float32Array): Promise<number[]> {
  const frames: number[] = [];
  let hop = 0;
  for await (const { activity } of conditioned([samples], { sampleRate: SAMPLE_RATE, gain: false })) {
    for (const { speech } of activity) {
      if (speech && hop < FRAMES) frames.push(hop);
      hop++;
    }
  }
  return frames;
}

function atLevel(sound: Float32Array, levelDbfs: number): Float32Array {
  const factor = gainOf(levelDbfs - speechLevel(sound, SAMPLE_RATE).activeDbfs);
  return sound.map((sample) => Math.max(-1, Math.min(1, sample * factor)));
}

/** As a file of 16 bits holds it. */
function rounded(samples: Float32Array): Float32Array {
  return Float32Array.from(to16Bit(samples), (sample) => sample / 32768);
}

function withKnock(sound: Float32Array): Float32Array {
  const knocked = Float32Array.from(sound);
  for (let i = 0; i < 2 * HOP_SAMPLES; i++) {
    knocked[i] = KNOCK_PEAK * Math.exp(-i / 60) * Math.sin(i / 8);
  }
  return knocked;
}

function inNoise(sound: Float32Array, rmsDbfs: number): Float32Array {
  const noise = makeNoise('room', sound.length, SAMPLE_RATE, new SeededRandom('front end'));
  return sound.map((sample, i) => sample + (noise[i] ?? 0) * gainOf(rmsDbfs));
}
