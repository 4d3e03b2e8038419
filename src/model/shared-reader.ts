// Many askers, one device: passages are encoded in turn, and the sequences of all of them are decoded
// side by side, so that throughput grows with the number of askers. Every asker gets the ids that it
// would get alone.

import { joinFloats } from '../bytes.ts';
import { assert } from '../errors.ts';
import type { Prediction, Sequence } from './decoder-runs.ts';
import type { AudioEmbeds, Encoder } from './encoder.ts';
import { Text } from './generate.ts';
import type { Passage, ReadEvent, Reader, Span } from './reader.ts';
import type { Seats } from './seats.ts';

/** One passage on its way through. */
class Job {
  readonly passage: Passage;
  readonly signal: AbortSignal;
  /** Spans that have no seat yet, by their place in the passage. */
  readonly waiting: [place: number, span: Span][];
  readonly work = { encoderMs: 0, prefillMs: 0, stepsMs: 0, decoderRuns: 0 };
  openTexts: number;
  /** The asker has gone. */
  left = false;
  #events: ReadEvent[] = [];
  #over: 'running' | 'done' | { readonly error: unknown } = 'running';
  #wake = (): void => {};

  constructor(passage: Passage, signal: AbortSignal) {
    this.passage = passage;
    this.signal = signal;
    this.waiting = [...passage.spans.entries()];
    this.openTexts = passage.spans.length;
  }

  get gone(): boolean {
    return this.left || this.signal.aborted;
  }

  tell(event: ReadEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  end(error?: unknown): void {
    if (this.#over !== 'running') return;
    if (error === undefined) this.tell({ type: 'work', ...this.work });
    this.#over = error === undefined ? 'done' : { error };
    this.#wake();
  }

  async *events(): AsyncGenerator<ReadEvent, void> {
    const abort = (): void => this.#wake();
    this.signal.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        this.signal.throwIfAborted();
        const event = this.#events.shift();
        if (event !== undefined) yield event;
        else if (this.#over === 'done') return;
        else if (this.#over !== 'running') throw this.#over.error;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.left = true;
      this.signal.removeEventListener('abort', abort);
    }
  }
}

interface Seated {
  readonly job: Job;
  readonly text: Text;
}

export class SharedReader implements Reader {
  readonly #encoder: Encoder;
  readonly #seats: Seats;
  readonly #stopIds: ReadonlySet<number>;
  readonly #line: Job[] = [];
  /** By seat; a seat may stay empty until its wave is over. */
  readonly #seated: (Seated | undefined)[] = [];
  #running = false;

  constructor(encoder: Encoder, seats: Seats, stopIds: ReadonlySet<number>) {
    this.#encoder = encoder;
    this.#seats = seats;
    this.#stopIds = stopIds;
  }

  async *read(passage: Passage, signal: AbortSignal): AsyncGenerator<ReadEvent, void> {
    signal.throwIfAborted();
    const job = new Job(passage, signal);
    this.#line.push(job);
    if (!this.#running) void this.#run();
    yield* job.events();
  }

  /** Seats who waits, then steps all, until nobody is left. */
  async #run(): Promise<void> {
    this.#running = true;
    try {
      await Promise.resolve(); // who asks in the same breath is seated together
      while (this.#line.length + this.#seated.length > 0) {
        this.#dropGone();
        if (this.#line.length > 0 && this.#seats.free > 0) await this.#admit();
        if (this.#seated.length > 0) await this.#step();
      }
    } catch (error) {
      for (const seated of this.#seated.splice(0)) seated?.job.end(error);
      for (const job of this.#line.splice(0)) job.end(error);
    } finally {
      this.#running = false;
    }
  }

  /** Encodes the next windows and seats their spans. */
  async #admit(): Promise<void> {
    const jobs = this.#nextJobs();
    try {
      await this.#encodeAndSeat(jobs);
    } catch (error) {
      for (const job of jobs) job.end(error);
      throw error;
    }
  }

  async #encodeAndSeat(jobs: readonly Job[]): Promise<void> {
    const { frames } = jobs[0]?.passage ?? { frames: 0 };
    const startMs = performance.now();
    const features =
      jobs.length === 1 ? jobs[0]?.passage.features : joinFloats(jobs.map(({ passage }) => passage.features));
    assert(features !== undefined, 'somebody waits');
    const audio = await this.#encoder.encode(features, jobs.length, frames);
    for (const job of jobs) job.work.encoderMs += (performance.now() - startMs) / jobs.length;
    try {
      // More spans than seats: the rest of this window waits until seats are free.
      while (jobs.some((job) => job.waiting.length > 0 && !job.gone)) {
        if (this.#seats.free > 0) await this.#seat(jobs, audio);
        if (jobs.some((job) => job.waiting.length > 0) && this.#seated.length > 0) await this.#step();
      }
    } finally {
      audio.dispose();
    }
    for (const job of jobs) if (job.passage.spans.length === 0) job.end();
  }

  /** Windows of equal length, as many as the seats take together. */
  #nextJobs(): Job[] {
    const [first, ...rest] = this.#line;
    assert(first !== undefined, 'somebody waits');
    let spans = first.waiting.length;
    const jobs = [first];
    for (const job of rest) {
      const fits =
        job.passage.frames === first.passage.frames && spans + job.waiting.length <= this.#seats.free;
      if (jobs.length === this.#seats.windowsAtOnce || !fits) break;
      spans += job.waiting.length;
      jobs.push(job);
    }
    this.#line.splice(0, jobs.length);
    return jobs;
  }

  async #seat(jobs: readonly Job[], audio: AudioEmbeds): Promise<void> {
    const seated: Seated[] = [];
    const sequences: Sequence[] = [];
    let newTokens = 0;
    for (const [window, job] of jobs.entries()) {
      const offset = window * audio.rowsPerWindow;
      for (const [place, span] of job.waiting.splice(0, this.#seats.free - seated.length)) {
        const { prompt, loopGuard } = job.passage;
        const [start, end] = span.audioRows;
        sequences.push({ prompt, audioRows: [offset + start, offset + end] });
        seated.push({ job, text: new Text(place, span.budget, this.#stopIds, loopGuard) });
        newTokens = Math.max(newTokens, span.budget);
      }
    }
    const startMs = performance.now();
    const predictions = await this.#seats.admit(sequences, audio, newTokens);
    this.#charge(seated, 'prefillMs', performance.now() - startMs);
    this.#seated.push(...seated);
    this.#take(this.#seated.length - seated.length, predictions);
  }

  async #step(): Promise<void> {
    const startMs = performance.now();
    const predictions = await this.#seats.step(this.#seated.map((seated) => seated?.text.next ?? null));
    const seated = this.#seated.filter((one) => one !== undefined);
    this.#charge(seated, 'stepsMs', performance.now() - startMs);
    this.#take(0, predictions);
  }

  /** Hands predictions to the texts from seat `first` on; whose text has ended leaves. */
  #take(first: number, predictions: readonly Prediction[]): void {
    for (const [i, prediction] of predictions.entries()) {
      const seated = this.#seated[first + i];
      if (seated === undefined) continue;
      for (const event of seated.text.take(prediction)) seated.job.tell(event);
    }
    this.#clear();
  }

  /** Askers that have gone leave line and seats. */
  #dropGone(): void {
    for (const job of this.#line.filter(({ gone }) => gone)) this.#line.splice(this.#line.indexOf(job), 1);
    this.#clear();
  }

  /** Frees the seats of texts that have ended and of askers that have gone. */
  #clear(): void {
    for (let seat = this.#seated.length - 1; seat >= 0; seat--) {
      const seated = this.#seated[seat];
      if (seated === undefined || !(seated.text.ended || seated.job.gone)) continue;
      if (--seated.job.openTexts === 0) seated.job.end();
      if (this.#seats.leave(seat) === 'empty') {
        this.#seated[seat] = undefined;
        continue;
      }
      const last = this.#seated.pop();
      if (seat < this.#seated.length) this.#seated[seat] = last;
    }
    if (this.#seated.every((seated) => seated === undefined)) this.#seated.length = 0;
  }

  /** A run's time, in equal shares. */
  #charge(seated: readonly Seated[], stage: 'prefillMs' | 'stepsMs', ms: number): void {
    for (const { job } of seated) job.work[stage] += ms / seated.length;
    for (const job of new Set(seated.map((one) => one.job))) job.work.decoderRuns++;
  }
}
