// How much a sound repeats itself as a voice does: the best normalized autocorrelation at the
// periods of a speaking voice, once per 10 ms. Near 1 for vowels, also for very quiet ones; near 0.4
// for noise, breath and whispers.
//
// Source of the measure: Talkin, "A robust algorithm for pitch tracking (RAPT)" (1995), NCCF.

import { Biquad } from './biquad.ts';
import { HOP_SAMPLES, SAMPLE_RATE } from './units.ts';

/** The band where a voice's lowest harmonics lie, above hum; a quarter of the rate is enough for it. */
const BAND_HZ = [150, 900] as const;
const DECIMATION = 4;
const RATE = SAMPLE_RATE / DECIMATION; //       4000
const HOP = HOP_SAMPLES / DECIMATION; //        40
const LOWEST_PITCH_HZ = 70;
const HIGHEST_PITCH_HZ = 400;
const SHORTEST_PERIOD = RATE / HIGHEST_PITCH_HZ; //             10
const LONGEST_PERIOD = Math.ceil(RATE / LOWEST_PITCH_HZ); //    58
const SPAN = 128; // compared with itself a period earlier: 32 ms
const HISTORY = SPAN + LONGEST_PERIOD;

export class Periodicity {
  /** Twice each: mains hum must vanish, and nothing may fold back when the rate is cut. */
  readonly #band = [
    Biquad.highPass(BAND_HZ[0], SAMPLE_RATE),
    Biquad.highPass(BAND_HZ[0], SAMPLE_RATE),
    Biquad.lowPass(BAND_HZ[1], SAMPLE_RATE),
    Biquad.lowPass(BAND_HZ[1], SAMPLE_RATE),
  ];
  readonly #hop = new Float64Array(HOP_SAMPLES);
  readonly #recent = new Float64Array(HISTORY);

  readonly #likeness = new Float64Array(1); // not a field or a result: those may be allocated

  /** How periodic the last 46 ms were: 0 … 1. */
  get likeness(): number {
    return this.#likeness[0]!;
  }

  /** Takes the next 10 ms (160 samples). */
  hear(samples: Float32Array): void {
    this.#hop.set(samples);
    for (let i = 0; i < this.#band.length; i++) this.#band[i]!.filter(this.#hop, this.#hop, HOP_SAMPLES);
    const recent = this.#recent;
    recent.copyWithin(0, HOP);
    for (let i = 0; i < HOP; i++) recent[HISTORY - HOP + i] = this.#hop[i * DECIMATION]!;
    bestLikeness(recent, this.#likeness);
  }
}

/** The best of all periods, into `result`. */
function bestLikeness(recent: Float64Array, result: Float64Array): void {
  const start = HISTORY - SPAN;
  let energy = 0;
  for (let i = 0; i < SPAN; i++) energy += recent[start + i]! ** 2;
  result[0] = 0;
  if (energy === 0) return;
  // The energy of the span one period earlier, kept up to date while the period grows.
  let earlier = 0;
  for (let i = 0; i < SPAN; i++) earlier += recent[start - SHORTEST_PERIOD + i]! ** 2;
  let best = 0;
  for (let period = SHORTEST_PERIOD; period <= LONGEST_PERIOD; period++) {
    let product = 0;
    for (let i = 0; i < SPAN; i++) product += recent[start + i]! * recent[start - period + i]!;
    // A span that is much quieter than the other is the edge of a sound, not its repetition.
    best = Math.max(best, product / Math.max(Math.sqrt(energy * earlier), energy / 4));
    const out = recent[start - period + SPAN - 1]!;
    const into = period < LONGEST_PERIOD ? recent[start - period - 1]! : 0;
    earlier = Math.max(earlier + into * into - out * out, 0);
  }
  result[0] = Math.min(best, 1);
}
