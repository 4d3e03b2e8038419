// Speech or not, once per 10 ms, by how far the sound stands above the noise floor and whether it
// is periodic as a voice is. Levels count only relative to the floor, so a whisper at −60 dBFS over
// −80 is as plain as a shout over −40.
//
//   level    ▁▁▁▁▂▅▇▆▇▃▁▁▂▆▇▅▂▁▁▁▁▁▁▁▁
//   speech   ├lead┼───────────┼hangover┤
//
// This is the quick first look. It cannot tell speech from music or from clattering dishes; the second
// look (engine/second-look.ts) can. Its numbers were chosen on real recordings from −20 to −60 dBFS
// (SPEED.md, "Speech detection").

import { HopBuffer } from './hops.ts';
import { type HopLevel, LevelMeter, SILENCE_DB } from './level.ts';
import { Periodicity } from './periodicity.ts';

/** Plainly above the floor: a whisper's syllables are, the flicker of steady noise is not. */
const STRONG_DB = 9;
/** Enough for a sound that is periodic, which noise is not. */
const VOICED_DB = 5;
const VOICED_LIKENESS = 0.7;
/** Speech goes on while the sound is this far above the floor … */
const WEAK_DB = 4;
/** … and this part of the way (in dB) from the floor to the loudest speech heard: breath and echo are not. */
const WEAK_PART = 0.25;
/** How fast the loudest is forgotten: 2 dB per second. */
const LOUDEST_FALL_DB = 0.02;
/** Speech begins where this many of so many hops are strong: a click is over sooner. */
const ONSET_STRONG_HOPS = 5;
const ONSET_HOPS = 8;
/** Flags reach back before the onset, because consonants begin softly … */
const LEAD_HOPS = 10;
/** … and on through the gaps between syllables. */
const HANGOVER_HOPS = 20;
/** After a longer gap it may go on as softly as it ended, without an onset, while the lead still reaches back to it. */
const RESUMED_HOPS = HANGOVER_HOPS + LEAD_HOPS;
/** A recording may begin inside a word: its quietest place so far is no floor. For a second, this is enough if periodic. */
const FLOORLESS_HOPS = 100;
const FLOORLESS_DB = 2;
/** Nothing below this (in the speech band) is speech: a recording of 16 bits has nothing left there. */
const INAUDIBLE_DB = -85;
/** Hops are judged this late, because the floor beneath them is often heard only behind them. */
const JUDGED_LATE_HOPS = 25;

/** Verdicts come this many hops behind the sound. */
export const ACTIVITY_LAG_HOPS = JUDGED_LATE_HOPS + LEAD_HOPS;

/** The verdict on one hop. */
export interface Activity {
  /** Which one: samples [160·hop, 160·hop + 160). */
  readonly hop: number;
  /** In the speech band, dBFS. */
  readonly levelDb: number;
  readonly floorDb: number;
  readonly speech: boolean;
}

const RING = 64; // hops remembered: more than the lag

/**
 * Calls back once per hop, `ACTIVITY_LAG_HOPS` behind the sound; the object is reused. The same
 * verdicts come for any block sizes, and at any level at which the recording itself is the same.
 */
export class ActivityDetector {
  readonly #onActivity: (activity: Activity) => void;
  readonly #activity = { hop: 0, levelDb: SILENCE_DB, floorDb: SILENCE_DB, speech: false };
  readonly #hops = new HopBuffer((hop) => void this.hear(hop));
  readonly #meter = new LevelMeter();
  readonly #periodicity = new Periodicity();
  readonly #levels = new Float64Array(RING);
  readonly #voiced = new Uint8Array(RING);
  #level: HopLevel | undefined;
  #heard = 0;
  #loudestDb = SILENCE_DB;
  #active = false;
  #quietHops = Infinity;
  #leadHop = 0; // where the latest speech begins, its lead included
  #endHop = 0; //  and where it ends, as far as judged

  constructor(onActivity: (activity: Activity) => void) {
    this.#onActivity = onActivity;
  }

  push(samples: Float32Array, count = samples.length): void {
    this.#hops.push(samples, count);
  }

  /** Takes one hop of 160 samples, for callers who have hops already. Returns its level (reused). */
  hear(hop: Float32Array): HopLevel {
    this.#level = this.#meter.measure(hop);
    this.#periodicity.hear(hop);
    this.#follow(this.#level.speechDb, this.#periodicity.likeness >= VOICED_LIKENESS);
    return this.#level;
  }

  /** First impression of the hop just heard, before anything behind it is known. */
  get strong(): boolean {
    return this.#heard > 0 && this.#isStrong(this.#heard - 1);
  }

  /** The sound is over: gives the verdicts that were still waiting. */
  finish(): void {
    this.#hops.finish();
    for (let i = 0; i < ACTIVITY_LAG_HOPS; i++) this.#follow(SILENCE_DB, false);
  }

  #follow(levelDb: number, voiced: boolean): void {
    const newest = this.#heard++;
    this.#levels[newest % RING] = levelDb;
    this.#voiced[newest % RING] = voiced ? 1 : 0;
    if (newest >= JUDGED_LATE_HOPS) this.#judge(newest - JUDGED_LATE_HOPS);
    if (newest >= ACTIVITY_LAG_HOPS) this.#tell(newest - ACTIVITY_LAG_HOPS);
  }

  #judge(hop: number): void {
    if (!this.#active) {
      const resumed = ++this.#quietHops <= RESUMED_HOPS && this.#isWeak(hop);
      if (!resumed && !this.#isOnset(hop)) return;
      this.#active = true;
      this.#quietHops = 0;
      this.#leadHop = Math.max(hop - LEAD_HOPS, 0);
    }
    this.#loudestDb = Math.max(this.#loudestDb - LOUDEST_FALL_DB, this.#levels[hop % RING]!);
    this.#quietHops = this.#isWeak(hop) ? 0 : this.#quietHops + 1;
    this.#active = this.#quietHops <= HANGOVER_HOPS;
    this.#endHop = hop + 1;
  }

  #isOnset(hop: number): boolean {
    let strong = 0;
    for (let i = 0; i < ONSET_HOPS; i++) if (this.#isStrong(hop + i)) strong++;
    return strong >= ONSET_STRONG_HOPS && this.#isStrong(hop);
  }

  #isStrong(hop: number): boolean {
    const above = this.#aboveFloor(hop);
    if (this.#voiced[hop % RING] === 0) return above >= STRONG_DB;
    return above >= (hop < FLOORLESS_HOPS ? FLOORLESS_DB : VOICED_DB);
  }

  #isWeak(hop: number): boolean {
    const floorDb = this.#level?.floorDb ?? SILENCE_DB;
    return this.#aboveFloor(hop) >= Math.max(WEAK_DB, WEAK_PART * (this.#loudestDb - floorDb));
  }

  #aboveFloor(hop: number): number {
    const levelDb = this.#levels[hop % RING]!;
    if (levelDb < INAUDIBLE_DB || this.#level === undefined || !this.#level.floorKnown) return -Infinity;
    return levelDb - this.#level.floorDb;
  }

  #tell(hop: number): void {
    const activity = this.#activity;
    activity.hop = hop;
    activity.levelDb = this.#levels[hop % RING]!;
    activity.floorDb = this.#level?.floorDb ?? SILENCE_DB;
    activity.speech = hop >= this.#leadHop && hop < this.#endHop;
    this.#onActivity(activity);
  }
}
