// Speech detection by level: how much speech is kept and how much else is taken for speech, for real
// recordings brought to levels from −20 to −60 dBFS. Prints the tables of SPEED.md, "Speech detection".
//
//   npx tsx scripts/measure-detection.ts FOLDER [silero_vad_v6.onnx]
//
// FOLDER holds en/ zh/ yue/ with speech, and nonspeech/ noise/ music/ without. With Silero's model (in the
// npm package @ricky0123/vad-web) it is measured too: alone, and as a second opinion.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { openAudioFile } from '../src/platform/node/decode-file.ts';
import { ActivityDetector } from '../src/signal/activity.ts';
import { GainControl, LIVE_LOOK_AHEAD_HOPS } from '../src/signal/gain.ts';
import { LevelMeter } from '../src/signal/level.ts';

const LEVELS_DB = [-20, -30, -40, -50, -60];
const FLOOR_DB = -90;
/** A Silero frame; all detectors are compared in these. */
const FRAME = 512;
const MOST_SECONDS = 8;

type Flags = Uint8Array;
const [folder, sileroPath] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where the recordings are');

async function load(path: string): Promise<Float32Array> {
  const file = await openAudioFile(path);
  const held: number[] = [];
  for await (const { samples } of file.blocks()) {
    for (const sample of samples) held.push(sample);
    if (held.length > MOST_SECONDS * 16_000) break;
  }
  await file.close();
  return Float32Array.from(held.slice(0, MOST_SECONDS * 16_000));
}

/** Frames in which speech sounds, by the recording as it was made: within 25 dB of the loudest syllables. */
function spoken(samples: Float32Array): Flags {
  const meter = new LevelMeter();
  const levels: number[] = [];
  for (let at = 0; at + 160 <= samples.length; at += 160)
    levels.push(meter.measure(samples.subarray(at, at + 160)).speechDb);
  const loud = [...levels].sort((a, b) => b - a)[Math.floor(levels.length * 0.03)] ?? 0;
  const quiet = [...levels].sort((a, b) => a - b)[Math.floor(levels.length * 0.05)] ?? 0;
  const edge = Math.max(loud - 25, Math.min(quiet + 8, loud - 8));
  return flagsOf(samples.length, (frame) => {
    const hops = levels.slice(Math.round((frame * FRAME) / 160), Math.round(((frame + 1) * FRAME) / 160));
    return hops.filter((db) => db > edge).length * 2 > hops.length;
  });
}

function flagsOf(length: number, test: (frame: number) => boolean): Flags {
  return Uint8Array.from({ length: Math.floor(length / FRAME) }, (_, frame) => (test(frame) ? 1 : 0));
}

function rms(samples: Float32Array, flags?: Flags): number {
  let [sum, count] = [0, 0];
  samples.forEach((x, i) => {
    if (flags !== undefined && flags[Math.floor(i / FRAME)] !== 1) return;
    sum += x * x;
    count++;
  });
  return 10 * Math.log10(sum / Math.max(count, 1) + 1e-20);
}

/** The recording at a level, in a room at −90 dBFS, through 16 bits. */
function relevelled(samples: Float32Array, nowDb: number, wantedDb: number): Float32Array {
  const gain = 10 ** ((wantedDb - nowDb) / 20);
  let state = 12345;
  const noise = Math.sqrt(3) * 10 ** (FLOOR_DB / 20);
  return samples.map((x) => {
    state = (state * 1664525 + 1013904223) >>> 0;
    const sum = x * gain + noise * (state / 2 ** 31 - 1);
    return Math.round(Math.max(-1, Math.min(0.9999, sum)) * 32_768) / 32_768;
  });
}

async function ours(samples: Float32Array): Promise<Flags> {
  const speech: boolean[] = [];
  const detector = new ActivityDetector((activity) => speech.push(activity.speech));
  detector.push(samples);
  detector.finish();
  return flagsOf(samples.length, (frame) => {
    const hops = speech.slice(Math.round((frame * FRAME) / 160), Math.round(((frame + 1) * FRAME) / 160));
    return hops.filter(Boolean).length * 2 > hops.length;
  });
}

function lifted(samples: Float32Array): Float32Array {
  const gain = new GainControl({ lookAheadHops: LIVE_LOOK_AHEAD_HOPS });
  const out = new Float32Array(samples.length + 2 * gain.delaySamples);
  let made = gain.push(samples, out);
  made += gain.finish(out.subarray(made));
  return out.subarray(0, made);
}

/** As browsers do it: toward −18 dBFS at 6 dB a second, by 30 dB at most, whatever the sound. */
function browserGain(samples: Float32Array): Float32Array {
  const out = new Float32Array(samples.length);
  let [power, gainDb] = [1e-9, 0];
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i] ?? 0;
    power += (x * x - power) / 6400;
    if (i % 160 === 0) {
      const wanted = Math.min(30, Math.max(0, -18 - 10 * Math.log10(power)));
      gainDb += Math.max(-0.4, Math.min(0.06, wanted - gainDb));
    }
    out[i] = Math.max(-1, Math.min(1, x * 10 ** (gainDb / 20)));
  }
  return out;
}

/** Silero v6, with the 64 samples before each frame that it wants to see. */
async function openSilero(path: string): Promise<(samples: Float32Array) => Promise<Float32Array>> {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const rate = new ort.Tensor('int64', [16_000n], []);
  return async (samples) => {
    const frames = Math.floor(samples.length / FRAME);
    const probabilities = new Float32Array(frames);
    let state: ort.Tensor = new ort.Tensor('float32', new Float32Array(256), [2, 1, 128]);
    const padded = new Float32Array(samples.length + 64);
    padded.set(samples, 64);
    for (let frame = 0; frame < frames; frame++) {
      const input = padded.slice(frame * FRAME, frame * FRAME + FRAME + 64);
      const result = await session.run({
        input: new ort.Tensor('float32', input, [1, FRAME + 64]),
        state,
        sr: rate,
      });
      probabilities[frame] = (result.output?.data as Float32Array)[0] ?? 0;
      state = result.stateN as ort.Tensor;
    }
    return probabilities;
  };
}

/** What every detector says of the same sound. */
type Opinions = [name: string, flags: Flags][];

const silero = sileroPath === undefined ? undefined : await openSilero(sileroPath);
const above = (p: Float32Array, threshold: number): Flags =>
  Uint8Array.from(p, (x) => (x > threshold ? 1 : 0));

async function opinions(samples: Float32Array): Promise<Opinions> {
  const activity = await ours(samples);
  const all: Opinions = [['activity', activity]];
  if (silero === undefined) return all;
  const after = await silero(lifted(samples));
  const both = (threshold: number, reach: number): Flags =>
    activity.map((flag, i) => {
      const near = after.subarray(Math.max(0, i - reach), i + reach + 1);
      return flag === 1 && Math.max(...near) > threshold ? 1 : 0;
    });
  all.push(['Silero 0.5', above(await silero(samples), 0.5)]);
  all.push(['browser gain, Silero 0.5', above(await silero(browserGain(samples)), 0.5)]);
  all.push(['our gain, Silero 0.5', above(after, 0.5)]);
  for (const [threshold, reach] of [
    [0.3, 16],
    [0.5, 32],
    [0.1, 32],
  ] as const)
    all.push([
      `activity and Silero ${threshold} within ${(reach * 0.032).toFixed(1)} s`,
      both(threshold, reach),
    ]);
  return all;
}

const sound = /\.(wav|flac|ogg|mp3)$/;
const inFolder = (name: string): string[] =>
  readdirSync(join(folder, name))
    .filter(
      (file) =>
        sound.test(file) && !/stereo_two|8k|jfk.flac|cards_003|cards_005|0880|0890|xmas\.wav/.test(file),
    )
    .map((file) => join(folder, name, file));

const names = new Set<string>();
const kept = new Map<string, [kept: number, of: number]>();
const add = (key: string, hits: number, of: number): void => {
  const [a, b] = kept.get(key) ?? [0, 0];
  kept.set(key, [a + hits, b + of]);
};
const count = (flags: Flags): number => flags.reduce((sum, flag) => sum + flag, 0);

const print = (): void => {
  const percent = (key: string): string => {
    const [hits, of] = kept.get(key) ?? [0, 0];
    return of === 0 ? '' : ((100 * hits) / of).toFixed(1);
  };
  for (const kind of ['kept', 'nonspeech', 'noise', 'music']) {
    const columns =
      kind === 'kept' ? [...LEVELS_DB.map(String), 'official quiet clip'] : LEVELS_DB.map(String);
    console.log(
      `\n| ${kind}, % of frames | ${columns.join(' | ')} |\n|--|${columns.map(() => '--:').join('|')}|`,
    );
    for (const name of names)
      console.log(`| ${name} | ${columns.map((level) => percent(`${name}|${kind}|${level}`)).join(' | ')} |`);
  }
};
for (const kind of ['nonspeech', 'noise', 'music']) {
  for (const file of inFolder(kind)) {
    const samples = await load(file);
    for (const db of LEVELS_DB) {
      const loud = rms(samples);
      // What is silent stays silent: a room is not made loud.
      const heard = loud < -70 ? samples : relevelled(samples, loud, db);
      for (const [name, flags] of await opinions(heard)) {
        names.add(name);
        add(`${name}|${kind}|${db}`, count(flags), flags.length);
        if (db === -40)
          console.log(
            `${file.slice(folder.length)} ${name}: ${((100 * count(flags)) / flags.length).toFixed(1)} %`,
          );
      }
    }
  }
}
for (const file of ['en', 'zh', 'yue'].flatMap(inFolder)) {
  const samples = await load(file);
  const truth = spoken(samples);
  const official = file.includes('glm_example_zh');
  const cases: [string, Float32Array][] = LEVELS_DB.map((db) => [
    String(db),
    relevelled(samples, rms(samples, truth), db),
  ]);
  if (official) cases.push(['official quiet clip', samples]);
  for (const [level, heard] of cases) {
    for (const [name, flags] of await opinions(heard)) {
      add(
        `${name}|kept|${level}`,
        count(flags.map((flag, i) => (flag === 1 && truth[i] === 1 ? 1 : 0))),
        count(truth),
      );
    }
  }
  if (process.env.SOTTO_PROGRESS) print();
}
print();
