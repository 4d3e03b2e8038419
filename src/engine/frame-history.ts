// Raw log-mel frames that came with the sound (made on the audio thread), kept until their window is read.

import type { ConditionedBlock } from '../signal/front-end.ts';
import type { StreamedFrames } from '../signal/log-mel.ts';

/** Frames of one window; usable by a model with as many mel bands. */
export interface WindowFrames extends StreamedFrames {
  readonly melBins: number;
}

export class FrameHistory {
  #frames = new Float32Array(0);
  #melBins = 0;
  /** Frames held: [start, end). */
  #start = 0;
  #end = 0;

  /** Takes the frames of a block, if it has any. A gap before them makes what was held useless. */
  push({ logMel, melBins, firstFrame }: ConditionedBlock): void {
    if (logMel === undefined || melBins === undefined) return;
    if (melBins !== this.#melBins || firstFrame !== this.#end) {
      this.#melBins = melBins;
      this.#start = this.#end = firstFrame;
    }
    this.#makeRoom(logMel.length);
    this.#frames.set(logMel, (this.#end - this.#start) * melBins);
    this.#end += logMel.length / melBins;
  }

  /** Forgets the frames before this one. */
  dropBefore(frame: number): void {
    const dropped = Math.min(frame, this.#end) - this.#start;
    if (dropped <= 0) return;
    this.#frames.copyWithin(0, dropped * this.#melBins, (this.#end - this.#start) * this.#melBins);
    this.#start += dropped;
  }

  /** The frames held of [startFrame, endFrame), numbered from `startFrame`. */
  within(startFrame: number, endFrame: number): WindowFrames | undefined {
    const from = Math.max(startFrame, this.#start);
    const to = Math.min(Math.ceil(endFrame), this.#end);
    if (to <= from) return undefined;
    const melBins = this.#melBins;
    const logMel = this.#frames.slice((from - this.#start) * melBins, (to - this.#start) * melBins);
    return { logMel, melBins, firstFrame: from - startFrame };
  }

  #makeRoom(numbers: number): void {
    const needed = (this.#end - this.#start) * this.#melBins + numbers;
    if (needed <= this.#frames.length) return;
    const wider = new Float32Array(2 * needed);
    wider.set(this.#frames.subarray(0, (this.#end - this.#start) * this.#melBins));
    this.#frames = wider;
  }
}
