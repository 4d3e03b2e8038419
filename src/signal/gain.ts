// Adaptive gain: quiet speech to a steady level, everything else left alone.
//
// The model was trained on speech of ordinary loudness. A constant gain shifts its features by a
// constant (20 dB by 0.5), so very quiet speech lies outside of what it has seen; this stage
// brings it back. What a listener calls pumping is avoided by doing little:
//
//   · Gain is at least 1: speech that is loud enough passes bit for bit.
//   · It follows speech only, in the speech band. Silence neither raises nor lowers it, so noise is
//     never lifted on its own.
//   · It holds still while speech stays within ±`DEAD_ZONE_DB` of the level wanted.
//   · It moves slowly, except where speech is first met: there it is in place before the first word,
//     because the sound runs `lookAheadHops` behind its measurement.
//   · A hop whose peak would pass −1 dBFS is met with less gain; nothing is ever clipped.
//
// The caller's samples are never written to.

import { assert } from '../errors.ts';
import { type Activity, ActivityDetector } from './activity.ts';
import { HopBuffer } from './hops.ts';
import { SpeechLevel } from './speech-level.ts';
import { FRAMES_PER_SECOND, HOP_SAMPLES } from './units.ts';

/** Where speech is brought to, dBFS in the speech band: about −23 over all, the broadcasters' reference (EBU R 128). */
export const TARGET_SPEECH_DB = -24;
const DEAD_ZONE_DB = 4;
/** Enough for −68 dBFS; beyond, a microphone's own noise is all there is. */
const MAX_GAIN_DB = 45;
/** Gain never lifts a peak above this. */
const CEILING = 10 ** (-1 / 20);
/** Speech is believed after 50 ms of it. */
const BELIEVED_HOPS = 5;
/** … and new to us for 300 ms. */
const NEW_HOPS = 30;

// Per hop:
const RISE_DB = 6 / FRAMES_PER_SECOND;
const FALL_DB = 100 / FRAMES_PER_SECOND;
const FIRST_DB = 300 / FRAMES_PER_SECOND; //  up or down, while speech is new
const RELEASE_DB = 20 / FRAMES_PER_SECOND; // back up after a peak

/** 0.3 s: what it takes to know a new speaker's level. For a microphone, whose text waits for it. */
export const LIVE_LOOK_AHEAD_HOPS = 30;
/** 1 s: a breath before the first word is not mistaken for a quiet speaker. For recordings. */
export const FILE_LOOK_AHEAD_HOPS = 100;

export interface GainOptions {
  /** Hops of sound held back so that gain is in place when speech begins; at least 1. */
  readonly lookAheadHops?: number | undefined;
  /** Lift by no more than this; 0 leaves everything as it is, and only listens. */
  readonly mostGainDb?: number | undefined;
  /** Where to start, when an earlier stretch of the recording is known. */
  readonly initialGainDb?: number | undefined;
  /** Hears the verdicts of the speech detection inside (its levels are those before gain). */
  readonly onActivity?: ((activity: Activity) => void) | undefined;
}

/**
 * Samples in, as many samples out, up to `delaySamples` later (`finish` gives the rest). The result is the
 * same, bit for bit, for any block sizes. Allocates nothing per block.
 */
export class GainControl {
  readonly #detector: ActivityDetector;
  readonly #speech = new SpeechLevel();
  readonly #hops = new HopBuffer((hop) => this.#take(hop));
  readonly #lookAheadHops: number;
  readonly #mostGainDb: number;
  // The sound that waits: a ring of hops with the peak of each.
  readonly #ringHops: number;
  readonly #ring: Float32Array;
  readonly #peaks: Float64Array;
  #taken = 0; //      hops measured
  #given = 0; //      hops given out
  #goalDb: number; // where gain should be
  #slowDb: number; // where it is, peaks aside
  #duckedDb = 0; //   what a peak takes off it
  #gainDb: number; // both together, at the end of the last hop given
  #output: Float32Array = new Float32Array(0);
  #written = 0;

  constructor({
    lookAheadHops = FILE_LOOK_AHEAD_HOPS,
    mostGainDb = MAX_GAIN_DB,
    initialGainDb = 0,
    onActivity,
  }: GainOptions = {}) {
    assert(Number.isInteger(lookAheadHops) && lookAheadHops >= 1, 'peaks are seen at least one hop ahead');
    this.#detector = new ActivityDetector(onActivity ?? (() => undefined));
    this.#lookAheadHops = lookAheadHops;
    this.#mostGainDb = mostGainDb;
    this.#ringHops = lookAheadHops + 1;
    this.#ring = new Float32Array(this.#ringHops * HOP_SAMPLES);
    this.#peaks = new Float64Array(this.#ringHops);
    this.#goalDb = this.#slowDb = this.#gainDb = initialGainDb;
  }

  /** The most samples that are held back. */
  get delaySamples(): number {
    return this.#ringHops * HOP_SAMPLES;
  }

  /** The gain of the sample given last. */
  get gainDb(): number {
    return this.#gainDb;
  }

  /** Writes the samples that are ready to `output`, whole hops, and returns how many. */
  push(samples: Float32Array, output: Float32Array, count = samples.length): number {
    this.#output = output;
    this.#written = 0;
    this.#hops.push(samples, count);
    return this.#written;
  }

  /** The sound is over: writes the rest. Needs room for `delaySamples`. */
  finish(output: Float32Array): number {
    this.#output = output;
    this.#written = 0;
    const pending = this.#hops.pending;
    this.#hops.finish();
    this.#detector.finish();
    while (this.#given < this.#taken) this.#give();
    if (pending > 0) this.#written -= HOP_SAMPLES - pending;
    return this.#written;
  }

  #take(hop: Float32Array): void {
    const level = this.#detector.hear(hop);
    const slot = this.#taken % this.#ringHops;
    this.#ring.set(hop, slot * HOP_SAMPLES);
    this.#peaks[slot] = level.peak;
    this.#taken++;
    if (this.#detector.strong) {
      this.#speech.follow(level.speechDb);
      this.#steer();
    }
    if (this.#taken > this.#lookAheadHops) this.#give();
  }

  /** Sets the goal by the level of speech and moves toward it; called while there is speech. */
  #steer(): void {
    if (this.#speech.hops < BELIEVED_HOPS) return;
    const wantedDb = Math.min(Math.max(TARGET_SPEECH_DB - this.#speech.db, 0), this.#mostGainDb);
    const isNew = this.#speech.hops < NEW_HOPS;
    const isFinding = isNew && this.#goalDb > 0;
    if (isFinding || Math.abs(wantedDb - this.#goalDb) > DEAD_ZONE_DB) this.#goalDb = wantedDb;
    const rise = isNew ? FIRST_DB : RISE_DB;
    const fall = isNew ? FIRST_DB : FALL_DB;
    this.#slowDb = Math.min(Math.max(this.#goalDb, this.#slowDb - fall), this.#slowDb + rise);
  }

  /** Gives the oldest hop out, its gain sliding from the last hop's to this one's. */
  #give(): void {
    const slot = this.#given % this.#ringHops;
    const peak = this.#peaks[slot]!;
    if (this.#given === 0) this.#gainDb = Math.min(this.#gainDb, headroomDb(peak));
    this.#given++;
    // This hop's last gain is the next one's first: it must suit both.
    const nextPeak = this.#given < this.#taken ? this.#peaks[this.#given % this.#ringHops]! : 0;
    const roomDb = headroomDb(Math.max(peak, nextPeak));
    this.#duckedDb = Math.min(0, this.#duckedDb + RELEASE_DB, roomDb - this.#slowDb);
    const from = 10 ** (this.#gainDb / 20);
    this.#gainDb = this.#slowDb + this.#duckedDb;
    const slope = (10 ** (this.#gainDb / 20) - from) / HOP_SAMPLES;
    for (let i = 0; i < HOP_SAMPLES; i++) {
      this.#output[this.#written++] = this.#ring[slot * HOP_SAMPLES + i]! * (from + slope * (i + 1));
    }
  }
}

/** The gain that brings a peak to the ceiling; 0 where it is there already. */
function headroomDb(peak: number): number {
  return Math.max(20 * Math.log10(CEILING / Math.max(peak, 1e-10)), 0);
}
