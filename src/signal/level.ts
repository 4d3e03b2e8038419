// How loud it is, in hops of 10 ms: over all frequencies, in the band that carries speech, and how
// quiet it gets when nobody speaks.

import { Biquad } from './biquad.ts';
import { NoiseFloor } from './noise-floor.ts';
import { HOP_SAMPLES, SAMPLE_RATE } from './units.ts';

/** Where speech has its power and rooms have little: hum and rumble lie below, hiss above. */
const SPEECH_BAND_HZ = [300, 3000] as const;
/** What no level goes below; the rounding noise of 16 bits lies at −101 dBFS. */
export const SILENCE_DB = -120;

/** 10 ms of sound. Levels are RMS in dBFS, against a square wave of full scale. */
export interface HopLevel {
  /** The largest sample, without its sign. */
  readonly peak: number;
  readonly levelDb: number;
  /** Within 300 … 3000 Hz. */
  readonly speechDb: number;
  /** What `speechDb` is when nobody speaks: the lowest possible until it is known. */
  readonly floorDb: number;
  readonly floorKnown: boolean;
}

export class LevelMeter {
  readonly #level = {
    peak: 0,
    levelDb: SILENCE_DB,
    speechDb: SILENCE_DB,
    floorDb: SILENCE_DB,
    floorKnown: false,
  };
  readonly #band = new Float64Array(HOP_SAMPLES);
  readonly #highPass = Biquad.highPass(SPEECH_BAND_HZ[0], SAMPLE_RATE);
  readonly #lowPass = Biquad.lowPass(SPEECH_BAND_HZ[1], SAMPLE_RATE);
  readonly #floor = new NoiseFloor();

  /** Measures the next hop (160 samples). The result is reused. */
  measure(hop: Float32Array): HopLevel {
    this.#band.set(hop);
    this.#highPass.filter(this.#band, this.#band, HOP_SAMPLES);
    this.#lowPass.filter(this.#band, this.#band, HOP_SAMPLES);
    let peak = 0;
    let squares = 0;
    let bandSquares = 0;
    for (let i = 0; i < HOP_SAMPLES; i++) {
      const x = hop[i]!;
      const y = this.#band[i]!;
      peak = Math.max(peak, Math.abs(x));
      squares += x * x;
      bandSquares += y * y;
    }
    const level = this.#level;
    level.peak = peak;
    level.levelDb = powerDb(squares / HOP_SAMPLES);
    level.speechDb = powerDb(bandSquares / HOP_SAMPLES);
    this.#floor.follow(level.speechDb);
    level.floorDb = this.#floor.floorDb;
    level.floorKnown = this.#floor.known;
    return level;
  }
}

/** 10·log10, not below `SILENCE_DB`. */
export function powerDb(power: number): number {
  return Math.max(10 * Math.log10(power), SILENCE_DB);
}
