// What has been seen of one reading, sorted for drawing. Grows in place; `seenAgain` gives a new face to the
// same content, so that what draws it notices.

import { joinFloats } from '../../bytes.ts';
import type { Segment, Token, Trace, TranscriptEvent } from '../../engine/events.ts';
import { type AudioBlock, SAMPLE_RATE } from '../../signal/units.ts';

export type Mel = Extract<Trace, { kind: 'mel' }>;
export type Reading = Extract<Trace, { kind: 'reading' }> & { readonly atMs: number };
export type Work = Extract<Trace, { kind: 'work' }> & { readonly atMs: number };

export interface SeenToken extends Token {
  readonly index: number;
  readonly atMs: number;
}

interface Seen {
  readonly blocks: Float32Array[];
  heardSamples: number;
  readonly gainDb: number[];
  readonly levelDb: number[];
  readonly speech: boolean[];
  readonly mels: Mel[];
  readonly readings: Reading[];
  readonly tokens: SeenToken[];
  readonly works: Work[];
  readonly segments: Segment[];
}

export class Sight {
  readonly #seen: Seen;

  constructor(seen?: Seen) {
    this.#seen = seen ?? {
      ...{ blocks: [], heardSamples: 0, gainDb: [], levelDb: [], speech: [] },
      ...{ mels: [], readings: [], tokens: [], works: [], segments: [] },
    };
  }

  seenAgain(): Sight {
    return new Sight(this.#seen);
  }

  hear({ samples }: AudioBlock): void {
    this.#seen.blocks.push(samples.slice());
    this.#seen.heardSamples += samples.length;
  }

  see(event: TranscriptEvent): void {
    const seen = this.#seen;
    if (event.type === 'final') seen.segments.push(event.segment);
    if (event.type !== 'trace') return;
    const { what, atMs } = event;
    switch (what.kind) {
      case 'gain':
        return void seen.gainDb.push(...what.gainDb);
      case 'voice':
        seen.levelDb.push(...what.levelDb);
        return void seen.speech.push(...what.speech);
      case 'mel':
        return void seen.mels.push(what);
      case 'reading':
        return void seen.readings.push({ ...what, atMs });
      case 'token':
        return void seen.tokens.push({ ...what.token, index: what.index, atMs });
      case 'work':
        return void seen.works.push({ ...what, atMs });
    }
  }

  get heardSeconds(): number {
    return this.#seen.heardSamples / SAMPLE_RATE;
  }
  get gainDb(): readonly number[] {
    return this.#seen.gainDb;
  }
  get levelDb(): readonly number[] {
    return this.#seen.levelDb;
  }
  get speech(): readonly boolean[] {
    return this.#seen.speech;
  }
  get mels(): readonly Mel[] {
    return this.#seen.mels;
  }
  get readings(): readonly Reading[] {
    return this.#seen.readings;
  }
  get works(): readonly Work[] {
    return this.#seen.works;
  }

  /** Segments with the tokens that made them, each with when it was found. */
  get lines(): readonly { readonly segment: Segment; readonly tokens: readonly SeenToken[] }[] {
    return this.#seen.segments.map((segment) => ({
      segment,
      tokens: this.#seen.tokens.filter(({ index }) => index === segment.index).slice(-segment.tokens.length),
    }));
  }

  /** All samples, as recorded. */
  sound(): Float32Array {
    return joinFloats(this.#seen.blocks);
  }
}
