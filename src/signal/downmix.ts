// Any number of channels → one, by what the channels hold rather than blindly.
//
// A plain average halves the voice when one channel is dead and deletes it when one is wired the
// wrong way round; both are common in recordings. So each channel is weighed by its loudness
// (amplitude over the sum of amplitudes: right for one voice over noises of their own) and turned
// over when it runs against the loudest one.
//
//   dead channel       weight 0: the live one passes at full level
//   two equal ones     the average
//   one turned over    turned back, instead of canceling the other
//   two speakers       loudness is remembered for seconds, so both stay
//   surround           the center wins where it is loudest; the low-frequency channel stays out
//
// Weights are settled once per 20 ms from the very samples that they apply to (one step of
// look-ahead) and slide from one step's to the next's, so nothing clicks.

import { assert } from '../errors.ts';

const STEPS_PER_SECOND = 50;
/** Remembered loudness falls by 6 dB in this time: longer than a pause between words. */
const MEMORY_SECONDS = 4;
/** Half-life of the evidence on polarity, which is a matter of wiring and not of a word. */
const POLARITY_SECONDS = 1;
/** Correlation with the loudest channel below which a channel is turned over, and above which it is turned back. */
const TURN_OVER = -0.8;
const TURN_BACK = 0.2;
/** Another channel becomes the loudest when it has this many times the power. */
const CLEARLY_LOUDER = 2;
/** Below this (−96 dBFS) a channel is dead: silence at 16 bits. */
const DEAD_POWER = 10 ** (-96 / 10);
/** An offset or a rumble is no voice: loudness counts what lies above this. */
const HIGH_PASS_HZ = 100;

/** The low-frequency channel's bit in a channel mask (WAVE_FORMAT_EXTENSIBLE). */
const LOW_FREQUENCY_BIT = 0x8;
/** Where it lies in files of 6 or 8 channels (5.1, 7.1) that do not say. */
const USUAL_LOW_FREQUENCY = 3;

export interface DownmixOptions {
  readonly sampleRate: number;
  readonly channels: number;
  /** Which loudspeakers the channels feed, as a WAV header may tell. */
  readonly channelMask?: number | undefined;
  /** `average`: the plain mean of all channels, as reference implementations do. */
  readonly mode?: 'weighted' | 'average' | undefined;
}

/**
 * Interleaved frames in, mono samples out, at the same rate. The result is the same, bit for bit,
 * however the sound is cut into blocks. Allocates nothing per block.
 *
 * Weighing needs 20 ms of look-ahead; what is held back comes with a later push or with `finish`.
 */
export class Downmix {
  readonly #channels: number;
  /** One channel, or a plain mean: nothing to weigh, nothing to hold back. */
  readonly #plain: boolean;
  readonly #stepFrames: number;
  readonly #held: Float32Array; // [stepFrames, channels]
  #heldFrames = 0;
  readonly #weights: Float64Array; //     where the sliding weights stand, signs included
  readonly #scale: ChannelScale;
  #started = false;

  constructor({ sampleRate, channels, channelMask, mode = 'weighted' }: DownmixOptions) {
    assert(channels >= 1, 'there is a channel');
    this.#channels = channels;
    this.#plain = channels === 1 || mode === 'average';
    this.#stepFrames = Math.ceil(sampleRate / STEPS_PER_SECOND);
    this.#held = new Float32Array(this.#plain ? 0 : this.#stepFrames * channels);
    this.#weights = new Float64Array(channels).fill(1 / channels);
    this.#scale = new ChannelScale(channels, sampleRate, lowFrequencyChannel(channels, channelMask));
  }

  /** The most samples that a push of `frames` frames, or `finish` (0 frames), can give. */
  maxOutputs(frames: number): number {
    return frames + this.#stepFrames;
  }

  /** Takes `frames` interleaved frames; writes the samples that are settled to `output` and returns how many. */
  push(interleaved: Float32Array, frames: number, output: Float32Array): number {
    if (this.#plain) return this.#average(interleaved, frames, output);
    const channels = this.#channels;
    let made = 0;
    for (let at = 0; at < frames;) {
      const taken = Math.min(frames - at, this.#stepFrames - this.#heldFrames);
      const to = this.#heldFrames * channels;
      for (let i = 0; i < taken * channels; i++) this.#held[to + i] = interleaved[at * channels + i]!;
      this.#heldFrames += taken;
      at += taken;
      if (this.#heldFrames === this.#stepFrames) made += this.#mixStep(output, made);
    }
    return made;
  }

  /** The sound is over: writes what was held back. */
  finish(output: Float32Array): number {
    return this.#heldFrames > 0 ? this.#mixStep(output, 0) : 0;
  }

  #mixStep(output: Float32Array, at: number): number {
    const channels = this.#channels;
    const frames = this.#heldFrames;
    const weights = this.#weights;
    const goal = this.#scale.weigh(this.#held, frames);
    if (!this.#started) weights.set(goal);
    this.#started = true;
    output.fill(0, at, at + frames);
    for (let c = 0; c < channels; c++) {
      const from = weights[c]!;
      const slope = (goal[c]! - from) / frames;
      for (let i = 0; i < frames; i++) {
        output[at + i] = output[at + i]! + (from + slope * (i + 1)) * this.#held[i * channels + c]!;
      }
    }
    weights.set(goal);
    this.#heldFrames = 0;
    return frames;
  }

  #average(interleaved: Float32Array, frames: number, output: Float32Array): number {
    const channels = this.#channels;
    for (let i = 0; i < frames; i++) {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += interleaved[i * channels + c]!;
      output[i] = sum / channels;
    }
    return frames;
  }
}

/** Weighs channels, one step after the other. */
class ChannelScale {
  readonly #channels: number;
  readonly #lowFrequency: number;
  readonly #forget: number;
  readonly #forgetPolarity: number;
  readonly #meanStep: number;
  readonly #mean: Float64Array; //    of the high-pass: what is subtracted
  readonly #power: Float64Array; //   remembered
  // Sums over the step, then remembered sums: squares, and products with the loudest channel.
  readonly #stepSquares: Float64Array;
  readonly #stepProducts: Float64Array;
  readonly #squares: Float64Array;
  readonly #products: Float64Array;
  readonly #signs: Float64Array;
  readonly #weights: Float64Array;
  readonly #raised: Float64Array; //  one frame above the high-pass
  #loudest = 0;
  #started = false;

  constructor(channels: number, sampleRate: number, lowFrequency: number) {
    this.#channels = channels;
    this.#lowFrequency = lowFrequency;
    this.#forget = 0.25 ** (1 / (MEMORY_SECONDS * STEPS_PER_SECOND));
    this.#forgetPolarity = 0.5 ** (1 / (POLARITY_SECONDS * STEPS_PER_SECOND));
    this.#meanStep = 1 - Math.exp((-2 * Math.PI * HIGH_PASS_HZ) / sampleRate);
    this.#mean = new Float64Array(channels);
    this.#power = new Float64Array(channels);
    this.#stepSquares = new Float64Array(channels);
    this.#stepProducts = new Float64Array(channels);
    this.#squares = new Float64Array(channels);
    this.#products = new Float64Array(channels);
    this.#signs = new Float64Array(channels).fill(1);
    this.#weights = new Float64Array(channels);
    this.#raised = new Float64Array(channels);
  }

  /** The weights for these frames, signs included; their sizes sum to 1. The array is reused. */
  weigh(interleaved: Float32Array, frames: number): Float64Array {
    this.#measure(interleaved, frames);
    this.#remember(frames);
    this.#followLoudest();
    this.#turnChannels();
    let sum = 0;
    for (let c = 0; c < this.#channels; c++) {
      const counts = c !== this.#lowFrequency && this.#power[c]! > DEAD_POWER;
      sum += this.#weights[c] = counts ? Math.sqrt(this.#power[c]!) : 0;
    }
    for (let c = 0; c < this.#channels; c++) {
      const share = sum > 0 ? this.#weights[c]! / sum : 1 / this.#channels;
      this.#weights[c] = share * this.#signs[c]!;
    }
    return this.#weights;
  }

  #measure(interleaved: Float32Array, frames: number): void {
    this.#stepSquares.fill(0);
    this.#stepProducts.fill(0);
    const raised = this.#raised;
    const mean = this.#mean;
    // An offset is there from the first sample on; it must not count as a bang.
    if (!this.#started) for (let c = 0; c < this.#channels; c++) mean[c] = interleaved[c]!;
    this.#started = true;
    for (let i = 0, at = 0; i < frames; i++) {
      for (let c = 0; c < this.#channels; c++, at++) {
        const sample = interleaved[at]!;
        raised[c] = sample - mean[c]!;
        mean[c] = mean[c]! + this.#meanStep * raised[c]!;
      }
      const loudest = raised[this.#loudest]!;
      for (let c = 0; c < this.#channels; c++) {
        this.#stepSquares[c] = this.#stepSquares[c]! + raised[c]! * raised[c]!;
        this.#stepProducts[c] = this.#stepProducts[c]! + raised[c]! * loudest;
      }
    }
  }

  #remember(frames: number): void {
    const keep = this.#forgetPolarity;
    for (let c = 0; c < this.#channels; c++) {
      this.#power[c] = Math.max(this.#stepSquares[c]! / frames, this.#power[c]! * this.#forget);
      this.#squares[c] = this.#squares[c]! * keep + this.#stepSquares[c]!;
      this.#products[c] = this.#products[c]! * keep + this.#stepProducts[c]!;
    }
  }

  #followLoudest(): void {
    let best = this.#loudest;
    for (let c = 0; c < this.#channels; c++) {
      if (c !== this.#lowFrequency && this.#power[c]! > CLEARLY_LOUDER * this.#power[best]!) best = c;
    }
    // What was measured against another channel says nothing about this one.
    if (best !== this.#loudest) this.#products.fill(0);
    this.#loudest = best;
  }

  #turnChannels(): void {
    const sign = this.#signs[this.#loudest]!;
    const loudestSquares = this.#squares[this.#loudest]!;
    for (let c = 0; c < this.#channels; c++) {
      const likeness = this.#products[c]! / Math.sqrt(this.#squares[c]! * loudestSquares + Number.MIN_VALUE);
      if (likeness < TURN_OVER) this.#signs[c] = -sign;
      else if (likeness > TURN_BACK) this.#signs[c] = sign;
    }
  }
}

/** Which channel is for low frequencies only; −1 where none is. */
function lowFrequencyChannel(channels: number, mask: number | undefined): number {
  if (channels === 1) return -1;
  if (mask === undefined || mask === 0) return channels === 6 || channels === 8 ? USUAL_LOW_FREQUENCY : -1;
  if ((mask & LOW_FREQUENCY_BIT) === 0) return -1;
  // Channels come in the order of the mask's bits: count those below.
  const below = mask & (LOW_FREQUENCY_BIT - 1);
  const place = (below & 1) + ((below >> 1) & 1) + ((below >> 2) & 1);
  return place < channels ? place : -1;
}
