// The laboratory's bench: one recording at a time, read with its trace, everything kept that was seen.

import {
  DEFAULT_OPTIONS,
  type Timings,
  type TranscribeOptions,
  type TranscriptEvent,
} from '../../engine/events.ts';
import type { EngineInfo } from '../../engine/engine.ts';
import { textOf, writeSession } from '../../engine/session.ts';
import { type AudioBlock, SAMPLE_RATE } from '../../signal/units.ts';
import { type PageFailure, failureOf } from '../state/failure.ts';
import type { EngineRoom } from '../state/engine-room.svelte.ts';
import type { OpenFile } from '../state/queue.svelte.ts';
import { isAbort } from '../../errors.ts';
import { Sight } from './sight.ts';

export type BenchState =
  | { readonly at: 'empty' }
  | { readonly at: 'reading'; readonly name: string }
  | {
      readonly at: 'done';
      readonly name: string;
      readonly durationSeconds: number;
      readonly timings: Timings;
    }
  | { readonly at: 'failed'; readonly name: string; readonly failure: PageFailure };

/** More would not fit on the bench, nor on a screen. */
export const BENCH_SECONDS = 300;
/** New things are shown so often. */
const SHOWN_MILLISECONDS = 120;

/** Sound that is spoken now comes in pieces of a tenth of a second. */
const SPOKEN_SAMPLES = SAMPLE_RATE / 10;

export class Bench {
  state = $state.raw<BenchState>({ at: 'empty' });
  /** Read as a microphone is: at the pace of speech, windows while they grow. */
  live = $state(false);
  /** Everything seen so far; replaced a few times a second while a recording is read. */
  sight = $state.raw<Sight>(new Sight());
  readonly #room: EngineRoom;
  readonly #openFile: OpenFile;
  #abort = new AbortController();
  #events: TranscriptEvent[] = [];
  #info: EngineInfo | undefined;
  #options: TranscribeOptions = DEFAULT_OPTIONS;

  constructor(room: EngineRoom, openFile: OpenFile) {
    this.#room = room;
    this.#openFile = openFile;
  }

  /** Reads `file`; what was on the bench goes. */
  async read(file: File): Promise<void> {
    this.#abort.abort();
    const abort = (this.#abort = new AbortController());
    const { signal } = abort;
    const sight = (this.sight = new Sight());
    this.#events = [];
    const options = (this.#options = { ...DEFAULT_OPTIONS, trace: true, live: this.live });
    this.state = { at: 'reading', name: file.name };
    const show = setInterval(() => (this.sight = sight.seenAgain()), SHOWN_MILLISECONDS);
    try {
      const sound = await this.#openFile(file);
      try {
        const engine = await this.#room.open();
        this.#info = engine.info;
        const heard = kept(options.live ? spoken(sound.blocks(signal)) : sound.blocks(signal), sight);
        for await (const event of engine.transcribe(heard, options, signal)) {
          this.#events.push(event);
          sight.see(event);
          if (event.type === 'end')
            this.state = { at: 'done', name: file.name, durationSeconds: event.durationSeconds, timings: event.timings }; // prettier-ignore
        }
      } finally {
        await sound.close();
      }
    } catch (error) {
      if (this.#abort !== abort) return;
      this.state =
        signal.aborted || isAbort(error)
          ? { at: 'empty' }
          : { at: 'failed', name: file.name, failure: failureOf(error) };
    } finally {
      clearInterval(show);
      if (this.#abort === abort) this.sight = sight.seenAgain();
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  get text(): string {
    return textOf(this.#events);
  }

  /** The recording with all that happened to it, as one file. */
  session(): File | undefined {
    if (this.#info === undefined || this.state.at !== 'done') return undefined;
    const samples = this.sight.sound();
    const bytes = writeSession({ samples, model: this.#info, options: this.#options, events: this.#events });
    const stem = this.state.name.replace(/(\.sotto)?\.[A-Za-z0-9]{1,5}$/, '');
    return new File([bytes], `${stem}.sotto.wav`, { type: 'audio/wav' });
  }
}

/** Passes blocks on and keeps their sound, up to what the bench holds. */
async function* kept(blocks: AsyncIterable<AudioBlock>, sight: Sight): AsyncGenerator<AudioBlock, void> {
  for await (const block of blocks) {
    sight.hear(block);
    yield block;
    if (sight.heardSeconds >= BENCH_SECONDS) return;
  }
}

/** The same sound at the pace at which it was spoken. */
async function* spoken(blocks: AsyncIterable<AudioBlock>): AsyncGenerator<AudioBlock, void> {
  const startMs = performance.now();
  for await (const { startSample, samples } of blocks) {
    for (let at = 0; at < samples.length; at += SPOKEN_SAMPLES) {
      const piece = samples.subarray(at, at + SPOKEN_SAMPLES);
      const dueMs = startMs + ((startSample + at + piece.length) / SAMPLE_RATE) * 1000;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
      yield { startSample: startSample + at, samples: piece };
    }
  }
}
