// Speech detection by level: how much speech is kept and how much else is taken for speech, for real
// recordings brought to levels from −20 to −60 dBFS. Prints the tables of SPEED.md, "Speech detection".
//
//   npx tsx scripts/measure-detection.ts FOLDER
//
// FOLDER holds en/ zh/ yue/ with speech, and nonspeech/ noise/ music/ without. Compared are the first look
// (signal/activity.ts), both looks as the engine takes them, and the voice model alone.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_OPTIONS } from '../src/engine/events.ts';
import { SecondLook } from '../src/engine/second-look.ts';
import { windowsOf } from '../src/engine/windows.ts';
import { openAudioFile } from '../src/platform/node/decode-file.ts';
import { openNodeVoice } from '../src/platform/node/voice-model.ts';
import { ActivityDetector } from '../src/signal/activity.ts';
import { GainControl, LIVE_LOOK_AHEAD_HOPS } from '../src/signal/gain.ts';
import { LevelMeter } from '../src/signal/level.ts';

const LEVELS_DB = [-20, -30, -40, -50, -60];
const FLOOR_DB = -90;
/** A Silero frame; all detectors are compared in these. */
const FRAME = 512;
/** Of a recording with speech; the others are heard whole. */
const MOST_SECONDS = 8;

type Flags = Uint8Array;
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where the recordings are');

async function load(path: string, mostSeconds: number): Promise<Float32Array> {
  const file = await openAudioFile(path);
  const held: number[] = [];
  for await (const { samples } of file.blocks()) {
    for (const sample of samples) held.push(sample);
    if (held.length > mostSeconds * 16_000) break;
  }
  await file.close();
  return Float32Array.from(held.slice(0, mostSeconds * 16_000));
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

function ours(samples: Float32Array): Flags {
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

const voice = await openNodeVoice();

/** The voice model alone, by the usual threshold. */
async function voiceAlone(samples: Float32Array): Promise<Flags> {
  const { likelihoods } = await voice.hear(samples.subarray(0, samples.length - (samples.length % FRAME)));
  return Uint8Array.from(likelihoods, (p) => (p > 0.5 ? 1 : 0));
}

/** What the model is shown: the utterances of windows that the second look leaves, gaps between syllables included. */
async function bothLooks(samples: Float32Array, live: boolean): Promise<Flags> {
  const blocks = (async function* () {
    for (let at = 0; at < samples.length; at += 8_000)
      yield { startSample: at, samples: samples.slice(at, at + 8_000) };
  })();
  const look = new SecondLook(voice);
  const flags = new Uint8Array(Math.floor(samples.length / FRAME));
  for await (const window of windowsOf(blocks, { ...DEFAULT_OPTIONS, live })) {
    for (const { startSample, endSample } of (await look.judge(window))?.utterances ?? [])
      flags.fill(1, Math.ceil(startSample / FRAME), Math.floor(endSample / FRAME));
  }
  return flags;
}

/** What every detector says of the same sound. */
type Opinions = [name: string, flags: Flags][];

async function opinions(samples: Float32Array): Promise<Opinions> {
  return [
    ['first look alone', ours(samples)],
    ['both looks, recordings', await bothLooks(samples, false)],
    ['both looks, live', await bothLooks(samples, true)],
    ['Silero 0.5, no gain', await voiceAlone(samples)],
    ['browser gain, Silero 0.5', await voiceAlone(browserGain(samples))],
    ['our gain, Silero 0.5', await voiceAlone(lifted(samples))],
  ];
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
    const samples = await load(file, Infinity);
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
  const samples = await load(file, MOST_SECONDS);
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
