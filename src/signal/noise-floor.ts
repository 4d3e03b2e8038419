// How quiet it is when nobody speaks: the lowest smoothed level of the last seconds.
//
// Speech dips to the noise between words and syllables, so a minimum over seconds finds the noise
// without knowing what is speech. Noise that grows louder is found when the old minimum is out of
// sight, or sooner when it stays level as no speech does.
//
// Source of the idea: Martin, "Noise power spectral density estimation based on optimal smoothing
// and minimum statistics", IEEE Trans. Speech Audio Proc. 9 (2001).

/** Averages out a noise's own flicker; short enough to see a gap between syllables. */
const SMOOTHING_HOPS = 5;
/** The minimum of smoothed white noise lies this far below its mean. */
const BIAS_DB = 1.5;
/** The last three seconds, in spans of a quarter. */
const SPAN_HOPS = 25;
const SPANS = 12;
/** Level within this for a second: no voice holds that. */
const STEADY_DB = 5;
const STEADY_SPANS = 4;
/** Quieter than this is a muted microphone or a gap in a file, and says nothing about the room. */
const MUTED_DB = -95;
/** A microphone that starts, a file that fades in: the first 100 ms say nothing either. */
const START_UP_HOPS = 10;
/** The lowest floor that is believed (below lies the rounding of 16 bits), and the one while none is known. */
const LOWEST_FLOOR_DB = -90;

export class NoiseFloor {
  // Lowest and highest smoothed level of each span, the newest in `#span`.
  readonly #lowest = new Float64Array(SPANS).fill(Infinity);
  readonly #highest = new Float64Array(SPANS).fill(-Infinity);
  #span = 0;
  #spanHops = 0;
  #hops = 0;
  #smoothedDb = NaN;
  #minimumDb = Infinity;

  /** False until sound of the room has been heard. */
  get known(): boolean {
    return this.#minimumDb !== Infinity;
  }

  get floorDb(): number {
    return this.known ? Math.max(this.#minimumDb + BIAS_DB, LOWEST_FLOOR_DB) : LOWEST_FLOOR_DB;
  }

  /** Takes the level of the next hop. */
  follow(levelDb: number): void {
    if (this.#hops++ >= START_UP_HOPS && levelDb > MUTED_DB) this.#smooth(levelDb);
    else this.#smoothedDb = NaN;
    if (++this.#spanHops === SPAN_HOPS) this.#nextSpan();
  }

  #smooth(levelDb: number): void {
    const before = Number.isNaN(this.#smoothedDb) ? levelDb : this.#smoothedDb;
    const smoothed = before + (levelDb - before) / SMOOTHING_HOPS;
    this.#smoothedDb = smoothed;
    this.#lowest[this.#span] = Math.min(this.#lowest[this.#span]!, smoothed);
    this.#highest[this.#span] = Math.max(this.#highest[this.#span]!, smoothed);
    this.#minimumDb = Math.min(this.#minimumDb, smoothed);
  }

  #nextSpan(): void {
    this.#raiseIfSteady();
    this.#span = (this.#span + 1) % SPANS;
    this.#spanHops = 0;
    this.#lowest[this.#span] = Infinity;
    this.#highest[this.#span] = -Infinity;
    let minimum = Infinity;
    for (let i = 0; i < SPANS; i++) minimum = Math.min(minimum, this.#lowest[i]!);
    // After seconds of nothing at all the last floor known is still the best guess.
    if (minimum !== Infinity) this.#minimumDb = minimum;
  }

  /** Steady sound is the noise of now: what was lower before it is forgotten. */
  #raiseIfSteady(): void {
    let lowest = Infinity;
    let highest = -Infinity;
    for (let back = 0; back < STEADY_SPANS; back++) {
      const i = (this.#span + SPANS - back) % SPANS;
      lowest = Math.min(lowest, this.#lowest[i]!);
      highest = Math.max(highest, this.#highest[i]!);
    }
    if (!(highest - lowest <= STEADY_DB)) return; // also when there was no sound at all
    for (let i = 0; i < SPANS; i++) this.#lowest[i] = Math.max(this.#lowest[i]!, lowest);
  }
}
