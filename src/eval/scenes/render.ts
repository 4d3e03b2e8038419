// Clean speech + scene + seed → the samples of a recording, with what was done to them.
//
//   lead ─ speech ─► whisper? ─► room? line? ─► exact level ─┬─► + background ─► line code? ─► 16 bits
//   0.5 s          trail 0.5 s                               └─► measured alone

import { SAMPLE_RATE } from '../../signal/units.ts';
import { SeededRandom } from '../seeded-random.ts';
import { to16Bit } from '../wav-bytes.ts';
import { gainOf, speechLevel } from './active-level.ts';
import { convolve } from './fourier.ts';
import { makeMusic } from './music.ts';
import { atUnitRms, makeNoise } from './noise.ts';
import { type Room, drawRoom, roomResponse } from './room.ts';
import { type Background, FAR_METERS, type Scene } from './scene.ts';
import { LINE_RATE, intoLine, outOfLine } from './telephone.ts';
import { whispered } from './whisper.ts';

/** Sound before and after the speech, with the scene's background in it. */
const MARGIN_SECONDS = 0.5;

/** What a scene is made from. */
export interface CleanSpeech {
  /** 16 kHz, mono. */
  readonly samples: Float32Array;
  /** True for a real whisper. */
  readonly whispered: boolean;
}

/** Recordings to use in place of what is made from a seed. */
export interface OwnSounds {
  /** An impulse response at 16 kHz in place of a computed room. */
  readonly roomResponse?: Float64Array;
  /** Music at 16 kHz; a seeded piece of it is taken, repeated if it is short. */
  readonly music?: Float64Array;
}

export interface Rendering {
  /** 16 kHz, mono. */
  readonly samples: Int16Array;
  /** The speech alone as it arrives, background left out. */
  readonly speech: Int16Array;
  readonly voice: 'as recorded' | 'real whisper' | 'converted to a whisper';
  readonly room?: Room | 'from a file';
  /** Of `speech`, by ITU-T P.56. */
  readonly activeDbfs: number;
  /** Of `samples`. */
  readonly rmsDbfs: number;
  readonly peakDbfs: number;
  /** Samples of the speech that full scale cuts off (only at the loudest levels). */
  readonly clippedSamples: number;
}

/** Renders one recording; the same seed gives the same samples. */
export function renderScene(clean: CleanSpeech, scene: Scene, seed: string, own: OwnSounds = {}): Rendering {
  const random = new SeededRandom(seed);
  const voice = voiceOf(clean, scene);
  const spoken = withMargins(Float64Array.from(clean.samples));
  const heard = voice === 'converted to a whisper' ? whispered(spoken, random) : spoken;
  const { speech, room } = arrive(heard, scene, random, own);
  const line = scene.path === 'telephone';
  const rate = line ? LINE_RATE : SAMPLE_RATE;
  const length = line ? 2 * speech.length : speech.length;
  const asRecorded = (signal: Float64Array): Float64Array => (line ? outOfLine(signal, length) : signal);
  const { leveled, activeDbfs, clippedSamples } = atLevel(speech, scene.levelDbfs, rate);
  const background = makeBackground(scene.background, leveled.length, rate, random, own);
  const mixture = leveled.map((sample, i) => sample + (background?.[i] ?? 0));
  const samples = to16Bit(asRecorded(mixture));
  return {
    samples,
    speech: to16Bit(asRecorded(leveled)),
    voice,
    ...(room && { room }),
    activeDbfs,
    ...loudness(samples),
    clippedSamples,
  };
}

function voiceOf(clean: CleanSpeech, scene: Scene): Rendering['voice'] {
  if (clean.whispered) return 'real whisper';
  return scene.voice === 'whispered' ? 'converted to a whisper' : 'as recorded';
}

function withMargins(samples: Float64Array): Float64Array {
  const margin = MARGIN_SECONDS * SAMPLE_RATE;
  const padded = new Float64Array(samples.length + 2 * margin);
  padded.set(samples, margin);
  return padded;
}

/** Through the room (the tail ends within the margin) or into the line (then at its rate). */
function arrive(
  speech: Float64Array,
  { path }: Scene,
  random: SeededRandom,
  own: OwnSounds,
): { speech: Float64Array; room?: Room | 'from a file' } {
  if (path === 'telephone') return { speech: intoLine(speech) };
  if (path === 'close') return { speech };
  const room = drawRoom(random, FAR_METERS);
  const response = own.roomResponse ?? roomResponse(room, SAMPLE_RATE);
  return {
    speech: convolve(speech, response).slice(0, speech.length),
    room: own.roomResponse ? 'from a file' : room,
  };
}

const LEVEL_TOLERANCE_DB = 0.005;
/** Reached only where full scale leaves no room for the level. */
const MAX_LEVEL_ROUNDS = 12;

/**
 * Scales until the speech has the level, also where full scale cuts off its peaks (which lowers the level
 * that a plain gain would give).
 */
function atLevel(
  speech: Float64Array,
  levelDbfs: number,
  sampleRate: number,
): { leveled: Float64Array; activeDbfs: number; clippedSamples: number } {
  let gain = gainOf(levelDbfs - speechLevel(speech, sampleRate).activeDbfs);
  if (!Number.isFinite(gain)) gain = 1; // nothing is said
  for (let round = 0; ; round++) {
    const scaled = speech.map((sample) => sample * gain);
    const leveled = scaled.map((sample) => Math.max(-1, Math.min(1, sample)));
    const { activeDbfs } = speechLevel(leveled, sampleRate);
    const clippedSamples = scaled.reduce((count, sample) => count + (Math.abs(sample) > 1 ? 1 : 0), 0);
    const missingDb = levelDbfs - activeDbfs;
    if (
      !(Math.abs(missingDb) > LEVEL_TOLERANCE_DB) ||
      !Number.isFinite(missingDb) ||
      round === MAX_LEVEL_ROUNDS
    ) {
      return { leveled, activeDbfs, clippedSamples };
    }
    gain *= gainOf(missingDb);
  }
}

function makeBackground(
  background: Background | undefined,
  count: number,
  sampleRate: number,
  random: SeededRandom,
  own: OwnSounds,
): Float64Array | undefined {
  if (background === undefined) return undefined;
  const { kind, rmsDbfs } = background;
  const unit =
    kind !== 'music'
      ? makeNoise(kind, count, sampleRate, random)
      : own.music
        ? atUnitRms(pieceOf(own.music, count, random))
        : makeMusic(count, sampleRate, random);
  return unit.map((sample) => sample * gainOf(rmsDbfs));
}

function pieceOf(music: Float64Array, count: number, random: SeededRandom): Float64Array {
  const start = random.below(music.length);
  return Float64Array.from({ length: count }, (_, i) => music[(start + i) % music.length] ?? 0);
}

function loudness(samples: Int16Array): { rmsDbfs: number; peakDbfs: number } {
  let energy = 0;
  let peak = 0;
  for (const sample of samples) {
    energy += (sample / 32768) ** 2;
    peak = Math.max(peak, Math.abs(sample) / 32768);
  }
  return { rmsDbfs: 10 * Math.log10(energy / samples.length), peakDbfs: 20 * Math.log10(peak) };
}
