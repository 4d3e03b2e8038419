// The chain that every sound runs through, the same on the audio thread, in a worker and on Node:
//
//   device rate ─► resample ─► 16 kHz ─► gain ─► samples ─► raw log-mel frames
//                                 │        └─ speech or not, per 10 ms
//                                 └─ as recorded: what a journal keeps
//
// Each stage behind the resampler can be left out; `EXACT` leaves out all, as the reference does.

import { assert } from '../errors.ts';
import { type Activity, ActivityDetector } from './activity.ts';
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

  /** The gain at the end of what was given last. */
  get gainDb(): number {
    return this.#gain?.gainDb ?? 0;
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

/** A block that has been through the chain, with the frames and verdicts that came with it. */
export interface ConditionedBlock extends AudioBlock {
  /** Raw log-mel frames, [frames, melBins], the first of them `firstFrame`; absent when none were asked for. */
  readonly logMel?: Float32Array;
  readonly melBins?: number;
  readonly firstFrame: number;
  /** Verdicts that have become known, one per hop and in order; they need not stand beside the samples. */
  readonly activity: readonly HopVerdict[];
}

/** What is known of 10 ms of sound: its level (before gain, in the speech band), and whether it is speech. */
export type HopVerdict = Pick<Activity, 'levelDb' | 'speech'>;

export function isConditioned(block: AudioBlock): block is ConditionedBlock {
  return 'activity' in block;
}

/** The chain for those who may allocate: blocks of any length in, blocks with their verdicts out. */
export class Conditioner {
  readonly #frontEnd: FrontEnd;
  /** Hears the sound where no gain does. */
  readonly #detector: ActivityDetector | undefined;
  readonly #melBins: number | undefined;
  #heard: HopVerdict[] = [];

  constructor(options: Omit<FrontEndOptions, 'maxBlockSamples'>) {
    const onActivity = ({ levelDb, speech }: Activity): void => void this.#heard.push({ levelDb, speech });
    const gain = options.gain === false ? (false as const) : { ...options.gain, onActivity };
    this.#frontEnd = new FrontEnd({ ...options, gain, maxBlockSamples: PIECE_SAMPLES });
    this.#detector = gain === false ? new ActivityDetector(onActivity) : undefined;
    this.#melBins = options.melBins;
  }

  push(block: Float32Array): ConditionedBlock[] {
    const made: ConditionedBlock[] = [];
    for (let at = 0; at < block.length; at += PIECE_SAMPLES) {
      const output = this.#frontEnd.push(block.subarray(at, at + PIECE_SAMPLES));
      this.#detector?.push(output.recorded, output.recordedCount);
      if (output.sampleCount > 0 || this.#heard.length > 0) made.push(this.#copy(output));
    }
    return made;
  }

  /** The sound is over: gives what was held back. */
  finish(): ConditionedBlock {
    const output = this.#frontEnd.finish();
    this.#detector?.push(output.recorded, output.recordedCount);
    this.#detector?.finish();
    return this.#copy(output);
  }

  #copy(output: FrontEndOutput): ConditionedBlock {
    const activity = this.#heard;
    this.#heard = [];
    const melBins = this.#melBins;
    return {
      startSample: output.startSample,
      samples: output.samples.slice(0, output.sampleCount),
      firstFrame: output.firstFrame,
      ...(melBins !== undefined && { melBins, logMel: output.logMel.slice(0, output.frameCount * melBins) }),
      activity,
    };
  }
}

/** Runs a whole recording through the chain. */
export async function* conditioned(
  blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  options: Omit<FrontEndOptions, 'maxBlockSamples'>,
): AsyncGenerator<ConditionedBlock> {
  const conditioner = new Conditioner(options);
  for await (const block of blocks) yield* conditioner.push(block);
  yield conditioner.finish();
}

const PIECE_SAMPLES = 8192;
