// Background music made from a seed: slow chords, a plucked melody over them, in a key and tempo of their
// own. Nothing is sung, so every word that an engine hears in it is false.

import type { SeededRandom } from '../seeded-random.ts';
import { atUnitRms } from './noise.ts';

/** Steps of a scale above its root: major, minor, pentatonic. */
const SCALES = [
  [0, 2, 4, 5, 7, 9, 11],
  [0, 2, 3, 5, 7, 8, 10],
  [0, 2, 4, 7, 9],
] as const;
/** Chords that follow each other, as steps of the scale: the usual four of a song. */
const PROGRESSIONS = [
  [0, 4, 5, 3],
  [0, 3, 4, 0],
  [0, 5, 3, 4],
] as const;
const BEATS_PER_BAR = 4;

interface Voice {
  readonly harmonics: readonly number[];
  readonly attackSeconds: number;
  readonly decaySeconds: number;
}

/** `count` samples at an RMS of 1. */
export function makeMusic(count: number, sampleRate: number, random: SeededRandom): Float64Array {
  const beatSamples = Math.round((sampleRate * 60) / random.between(66, 110));
  const rootNote = random.between(48, 57); // between the C and the A below middle C
  const scale = SCALES[random.below(SCALES.length)] ?? SCALES[0];
  const progression = PROGRESSIONS[random.below(PROGRESSIONS.length)] ?? PROGRESSIONS[0];
  const pad: Voice = { harmonics: [1, 0.5, 0.25, 0.12], attackSeconds: 0.25, decaySeconds: 4 };
  const pluck: Voice = { harmonics: drawHarmonics(random), attackSeconds: 0.005, decaySeconds: 0.5 };
  const noteOf = (step: number): number =>
    rootNote + (scale[step % scale.length] ?? 0) + 12 * Math.floor(step / scale.length);
  const music = new Float64Array(count);
  const play = (voice: Voice, beat: number, beats: number, note: number, loudness: number): void =>
    addNote(music, sampleRate, voice, beat * beatSamples, beats * beatSamples, note, loudness);
  // The piece has begun before we listen.
  const firstBar = -random.uniform();
  for (let bar = 0; (bar + firstBar) * BEATS_PER_BAR * beatSamples < count; bar++) {
    const beat = (bar + firstBar) * BEATS_PER_BAR;
    const chord = progression[bar % progression.length] ?? 0;
    for (const third of [0, 2, 4]) play(pad, beat, BEATS_PER_BAR, noteOf(chord + third), 0.5);
    for (let eighth = 0; eighth < 2 * BEATS_PER_BAR; eighth++) {
      if (random.uniform() < 0.4) continue;
      const step = chord + scale.length + random.below(scale.length);
      play(pluck, beat + eighth / 2, 1, noteOf(step), random.between(0.4, 0.9));
    }
  }
  return atUnitRms(music);
}

function drawHarmonics(random: SeededRandom): number[] {
  return Array.from({ length: 6 }, (_, i) => random.between(0.2, 1) / (i + 1) ** 1.5);
}

/** Middle A is note 69 and has 440 Hz; twelve notes double the frequency. */
function hertzOf(note: number): number {
  return 440 * 2 ** ((note - 69) / 12);
}

const RELEASE_SECONDS = 0.03;

function addNote(
  music: Float64Array,
  sampleRate: number,
  voice: Voice,
  startSample: number,
  samples: number,
  note: number,
  loudness: number,
): void {
  const from = Math.max(0, Math.ceil(startSample));
  const to = Math.min(music.length, Math.floor(startSample + samples));
  const harmonics = voice.harmonics
    .map((amplitude, i) => ({ amplitude, hertz: hertzOf(note) * (i + 1) }))
    .filter(({ hertz }) => hertz < 0.45 * sampleRate);
  for (let i = from; i < to; i++) {
    const seconds = (i - startSample) / sampleRate;
    const leftSeconds = samples / sampleRate - seconds;
    const envelope =
      Math.min(1, seconds / voice.attackSeconds, leftSeconds / RELEASE_SECONDS) *
      Math.exp(-seconds / voice.decaySeconds);
    let wave = 0;
    for (const { amplitude, hertz } of harmonics) wave += amplitude * Math.sin(2 * Math.PI * hertz * seconds);
    music[i] = (music[i] ?? 0) + loudness * envelope * wave;
  }
}
