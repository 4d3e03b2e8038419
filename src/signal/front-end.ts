// The chain that every sound runs through, the same on the audio thread, in a worker and on Node:
//
//   device rate ─► resample ─► 16 kHz ─► gain ─► samples ─► raw log-mel frames
//                                 │        └─ speech or not, per 10 ms
//                                 └─ as recorded: what a journal keeps
//
// Each stage behind the resampler can be left out; `EXACT` leaves out all, as the reference does.

import { assert } from '../errors.ts';
import type { Activity } from './activity.ts';
import { GainControl, type GainOptions } from './gain.ts';
import { LogMelStream } from './log-mel.ts';
import { soundOrSilence } from './pcm.ts';
import { Resampler } from './resample.ts';
import { type AudioBlock, HOP_SAMPLES } from './units.ts';

export interface FrontEndOptions {
  /** Of the blocks pushed; a whole number. */
  readonly sampleRate: number;
  /** The most samples in one push: 128 on the audio thread. Buffers are made for it once. */
  readonly maxBlockSamples: number;
  /** `false`: samples stay as they are. */
  readonly gain?: GainOptions | false;
  /** Absent: no frames are made. */
  readonly melBins?: number;
}

/** Resampling only: what the reference hears. */
export const EXACT = { gain: false } as const satisfies Partial<FrontEndOptions>;

/**
 * What one push made. All arrays are reused by the next push and filled only as far as the counts
 * say; positions are samples and frames of the 16 kHz recording.
 */
export interface FrontEndOutput {
  /** As recorded, before gain. */
  readonly recorded: Float32Array;
  readonly recordedCount: number;
  readonly recordedStartSample: number;
  /** After gain, which runs behind: `startSample` is less than `recordedStartSample`. */
  readonly samples: Float32Array;
  readonly sampleCount: number;
  readonly startSample: number;
  /** Raw log-mel frames of `samples`, [frameCount, melBins]; frame f is centered on sample 160·f. */
  readonly logMel: Float32Array;
  readonly frameCount: number;
  readonly firstFrame: number;
}

/**
 * Mono blocks at the device's rate in, 16 kHz out. The same sound gives the same numbers, bit for
 * bit, however it is cut into blocks. Allocates nothing per push. What is not a number counts as silence.
 */
export class FrontEnd {
  readonly #maxBlockSamples: number;
  readonly #resampler: Resampler;
  readonly #gain: GainControl | undefined;
  readonly #mel: LogMelStream | undefined;
  readonly #input: Float32Array;
  readonly #output: { -readonly [K in keyof FrontEndOutput]: FrontEndOutput[K] };

  constructor({ sampleRate, maxBlockSamples, gain = {}, melBins }: FrontEndOptions) {
    this.#maxBlockSamples = maxBlockSamples;
    this.#resampler = new Resampler(sampleRate);
    this.#gain = gain === false ? undefined : new GainControl(gain);
    this.#mel = melBins === undefined ? undefined : new LogMelStream(melBins);
    this.#input = new Float32Array(maxBlockSamples);
    const recordedMost = this.#resampler.maxOutputs(maxBlockSamples);
    // A push may complete a hop; the last one gives all that was held back.
    const samplesMost = recordedMost + HOP_SAMPLES + (this.#gain?.delaySamples ?? 0);
    this.#output = {
      recorded: new Float32Array(recordedMost),
      recordedCount: 0,
      recordedStartSample: 0,
      samples: new Float32Array(samplesMost),
      sampleCount: 0,
      startSample: 0,
      logMel: new Float32Array(LogMelStream.maxFrames(samplesMost) * (melBins ?? 0)),
      frameCount: 0,
      firstFrame: 0,
    };
  }

  /** Takes the first `count` samples of `block`. */
  push(block: Float32Array, count = block.length): FrontEndOutput {
    assert(count <= this.#maxBlockSamples, 'a block is no longer than promised');
    for (let i = 0; i < count; i++) this.#input[i] = soundOrSilence(block[i]!);
    this.#advance();
    const output = this.#output;
    output.recordedCount = this.#resampler.push(this.#input, output.recorded, count);
    output.sampleCount = this.#condition(output.recordedCount);
    this.#makeFrames();
    return output;
  }

  /** The sound is over: gives what was held back. */
  finish(): FrontEndOutput {
    this.#advance();
    const output = this.#output;
    output.recordedCount = this.#resampler.finish(output.recorded);
    output.sampleCount = this.#condition(output.recordedCount);
    if (this.#gain !== undefined) {
      output.sampleCount += this.#gain.finish(output.samples.subarray(output.sampleCount));
    }
    this.#makeFrames();
    return output;
  }

  /** The next output begins where the last one ended. */
  #advance(): void {
    const output = this.#output;
    output.recordedStartSample += output.recordedCount;
    output.startSample += output.sampleCount;
    output.firstFrame += output.frameCount;
  }

  #condition(count: number): number {
    const { recorded, samples } = this.#output;
    if (this.#gain !== undefined) return this.#gain.push(recorded, samples, count);
    for (let i = 0; i < count; i++) samples[i] = recorded[i]!;
    return count;
  }

  #makeFrames(): void {
    const { samples, sampleCount, logMel } = this.#output;
    this.#output.frameCount = this.#mel?.push(samples, logMel, sampleCount) ?? 0;
  }
}

/** A block as the engine takes it, with the frames and verdicts that came with it. */
export interface ConditionedBlock extends AudioBlock {
  /** Raw log-mel frames, [frames, melBins], the first of them `firstFrame`; absent when none were asked for. */
  readonly logMel?: Float32Array;
  readonly firstFrame: number;
  /** Verdicts that have become known; they run behind the samples. */
  readonly activity: readonly Activity[];
}

/** Runs a whole recording through the chain, in blocks of its own. For those who may allocate. */
export async function* conditioned(
  blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  options: Omit<FrontEndOptions, 'maxBlockSamples'>,
): AsyncGenerator<ConditionedBlock> {
  const heard: Activity[] = [];
  const onActivity = (activity: Activity): void => void heard.push({ ...activity });
  const gain = options.gain === false ? (false as const) : { ...options.gain, onActivity };
  const frontEnd = new FrontEnd({ ...options, gain, maxBlockSamples: PIECE_SAMPLES });
  const copy = (output: FrontEndOutput): ConditionedBlock => ({
    startSample: output.startSample,
    samples: output.samples.slice(0, output.sampleCount),
    firstFrame: output.firstFrame,
    ...(options.melBins === undefined
      ? {}
      : { logMel: output.logMel.slice(0, output.frameCount * options.melBins) }),
    activity: heard.splice(0),
  });
  for await (const block of blocks) {
    for (let at = 0; at < block.length; at += PIECE_SAMPLES) {
      const output = frontEnd.push(block.subarray(at, at + PIECE_SAMPLES));
      if (output.sampleCount > 0 || heard.length > 0) yield copy(output);
    }
  }
  const last = frontEnd.finish();
  if (last.sampleCount > 0 || heard.length > 0) yield copy(last);
}

const PIECE_SAMPLES = 8192;
