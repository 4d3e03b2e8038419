// One recording from any client → transcript events: a place in line, an engine, a deadline. The dialects
// parse into a Job and put the events into their own words; nothing else is theirs.

import { AsrError, isAbort, isAsrError } from '../errors.ts';
import type { TranscribeOptions, TranscriptEvent } from '../engine/events.ts';
import type { Decoders } from '../platform/node/decode-client.ts';
import { type AudioBlock, SAMPLE_RATE } from '../signal/units.ts';
import type { EnginePool } from './engine-pool.ts';
import type { FairQueue } from './fair-queue.ts';
import type { Metrics } from './metrics.ts';
import type { ModelShelf, ShelfModel } from './model-shelf.ts';
import type { Hand } from './shared/hand.ts';
import type { SharedLine } from './shared/shared-line.ts';
import type { Form } from './uploads.ts';

export interface Job {
  /** Who asks, for fairness: a key's name or an address. */
  readonly asker: string;
  /** A model's name as the client gave it; empty: the server's own choice. */
  readonly model: string;
  /** Where the recording lies, or its blocks as they come in (those cannot be read twice). */
  readonly audio: { readonly path: string } | { readonly blocks: AsyncIterable<AudioBlock> };
  readonly options: TranscribeOptions;
}

/** A job whose recording is whole: any server may read it, and read it again. */
export type FileJob = Job & { readonly audio: { readonly path: string } };

export type JobEvent =
  /** `ahead` jobs come first. */
  { readonly type: 'queued'; readonly ahead: number } | { readonly type: 'started' } | TranscriptEvent;

/** The longest that timers can wait, about 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface JobLimits {
  /** Longest recording. */
  readonly maxAudioSeconds: number;
  /** From the request to the last word. */
  readonly deadlineSeconds: number;
}

export interface JobParts {
  readonly queue: FairQueue;
  readonly pool: EnginePool;
  readonly decoders: Decoders;
  readonly shelf: ModelShelf;
  readonly limits: JobLimits;
  readonly metrics: Metrics;
  /** Hears what a reading has to do without. */
  readonly onWarning: (warning: Extract<TranscriptEvent, { type: 'warning' }>) => void;
  /** Other names that clients may call models by. */
  readonly aliases: Readonly<Record<string, string>>;
}

export class Jobs {
  readonly #parts: JobParts;
  #open = 0;
  #stopping = false;
  #shared: { readonly line: SharedLine; readonly hand: Hand | undefined } | undefined;
  #whenNone = (): void => undefined;
  readonly #stop = new AbortController();

  constructor(parts: JobParts) {
    this.#parts = parts;
  }

  /** How much is going on. */
  get load(): { readonly running: number; readonly waiting: number } {
    const { running, waiting } = this.#parts.queue;
    const shared = this.#shared?.line.load;
    return { running: running + (shared?.running ?? 0), waiting: waiting + (shared?.waiting ?? 0) };
  }

  /** The line that this server shares with others, if it does. */
  get sharedLine(): SharedLine | undefined {
    return this.#shared?.line;
  }

  /** From now on recordings go into a line that several servers share; `hand` takes them from there, here. */
  share(line: SharedLine, hand: Hand | undefined): void {
    this.#shared = { line, hand };
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** The model of that name; fails with `model-not-found`. */
  async model(name: string): Promise<ShelfModel> {
    const models = await this.#parts.shelf.list();
    const wanted = this.#parts.aliases[name] ?? name;
    const found =
      wanted === ''
        ? models[0]
        : models.find(({ id, manifest }) => id === wanted || manifest.name === wanted);
    if (found !== undefined) return found;
    const names = models.map(({ id }) => id).join(', ');
    throw new AsrError(
      'model-not-found',
      `there is no model "${name.slice(0, 80)}" here, only ${names || 'none'}`,
    );
  }

  /** Whether a job would be taken in now; fails with `busy`. For dialects that answer before they run it. */
  checkRoom(asker: string): void {
    if (this.#shared === undefined) this.#parts.queue.checkRoom(asker);
  }

  /** Runs a job. Fails with `busy`, `too-slow`, as the engine does, and with the signal's reason. */
  async *run(job: Job, asked: AbortSignal): AsyncGenerator<JobEvent, void> {
    // Who speaks while being read sets the pace; only files have to be read in time.
    const patienceMs = 'path' in job.audio ? this.#parts.limits.deadlineSeconds * 1000 : LONGEST_TIMER_MS;
    const deadline = AbortSignal.timeout(patienceMs);
    const signal = AbortSignal.any([asked, deadline, this.#stop.signal]);
    const end = this.#parts.metrics.jobStarted();
    this.#open++;
    let outcome = 'failed';
    try {
      yield* this.#run(job, signal);
      outcome = 'done';
    } catch (error) {
      if (asked.aborted) {
        outcome = 'left';
        throw asked.reason;
      }
      if (deadline.aborted) throw this.#tooSlow(error);
      if (isAbort(error)) throw new AsrError('busy', 'the server is stopping', { cause: error });
      throw error;
    } finally {
      end(outcome);
      if (--this.#open === 0) this.#whenNone();
    }
  }

  /** Takes no more jobs; waits for those under way, at most `graceMs`, then ends them. */
  async close(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#parts.queue.close(new AsrError('busy', 'the server is stopping'));
    const handed = this.#shared?.hand?.close(graceMs);
    if (this.#open > 0) {
      const none = new Promise<void>((resolve) => (this.#whenNone = resolve));
      const patience = setTimeout(() => this.#stop.abort(), graceMs);
      await none;
      clearTimeout(patience);
    }
    await handed;
    await this.#shared?.line.close();
    await Promise.all([this.#parts.pool.close(), this.#parts.decoders.close()]);
  }

  /** Reads a recording on this machine, whoever took it in. Fails as `run` does. */
  async *read(job: Job, signal: AbortSignal): AsyncGenerator<JobEvent, void> {
    const model = await this.model(job.model);
    const { audio } = job;
    const open = (stop: AbortSignal): AsyncIterable<AudioBlock> =>
      this.#measured(
        'path' in audio ? this.#parts.decoders.blocks(audio.path, stop) : untilAborted(audio.blocks, stop),
      );
    const events = this.#parts.pool.transcribe(model, open, job.options, signal, 'path' in audio);
    for await (const event of events) {
      if (event.type === 'warning') this.#parts.onWarning(event);
      if (event.type === 'end') this.#parts.metrics.audioRead(event.durationSeconds);
      yield event;
    }
  }

  async *#run(job: Job, signal: AbortSignal): AsyncGenerator<JobEvent, void> {
    const { id } = await this.model(job.model);
    if (this.#shared !== undefined && isFileJob(job)) {
      if (this.#stopping) throw new AsrError('busy', 'the server is stopping');
      return yield* this.#shared.line.run({ ...job, model: id }, signal);
    }
    const leave = yield* this.#waitForPlace(job.asker, signal);
    try {
      yield { type: 'started' };
      yield* this.read(job, signal);
    } finally {
      leave();
    }
  }

  /** Tells the place in line each time it changes. */
  async *#waitForPlace(asker: string, signal: AbortSignal): AsyncGenerator<JobEvent, () => void> {
    let ahead: number | undefined;
    let settled = false;
    let wake = (): void => undefined;
    const place = this.#parts.queue.enter(asker, signal, (rank) => ((ahead = rank), wake()));
    const settle = (): void => ((settled = true), wake());
    place.then(settle, settle);
    let taken = false;
    try {
      for (;;) {
        if (settled) {
          const leave = await place;
          taken = true;
          return leave;
        }
        const told = ahead;
        ahead = undefined;
        if (told !== undefined) yield { type: 'queued', ahead: told };
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      // Who asked has gone meanwhile: the place is for the next one.
      if (!taken)
        place.then(
          (leave) => leave(),
          () => undefined,
        );
    }
  }

  /** Long recordings are refused as soon as they turn out to be too long, whatever their file claims. */
  async *#measured(blocks: AsyncIterable<AudioBlock>): AsyncGenerator<AudioBlock, void> {
    const { maxAudioSeconds } = this.#parts.limits;
    for await (const block of blocks) {
      if ((block.startSample + block.samples.length) / SAMPLE_RATE > maxAudioSeconds) {
        throw new AsrError('audio-too-long', `this server reads at most ${maxAudioSeconds} seconds at once`);
      }
      yield block;
    }
  }

  #tooSlow(cause: unknown): AsrError {
    if (isAsrError(cause) && cause.code === 'busy') return cause;
    const seconds = this.#parts.limits.deadlineSeconds;
    return new AsrError('too-slow', `this was not read within ${seconds} seconds`, { cause });
  }
}

/** Sound that is still spoken cannot be handed on. */
function isFileJob(job: Job): job is FileJob {
  return 'path' in job.audio;
}

/** The events; when they end, however they do, the upload goes. */
export async function* untilRemoved(
  events: AsyncGenerator<JobEvent, void>,
  form: Form,
): AsyncGenerator<JobEvent, void> {
  try {
    yield* events;
  } finally {
    await form.remove();
  }
}

/**
 * The events so far, once it is certain that the recording is one, or that it has to wait. Until then a
 * failure can still be the status of the whole answer.
 */
export async function firstEvents(events: AsyncGenerator<JobEvent, void>): Promise<readonly JobEvent[]> {
  const first = await events.next();
  if (first.done) return [];
  if (first.value.type !== 'started') return [first.value];
  const second = await events.next();
  return second.done ? [first.value] : [first.value, second.value];
}

/** Blocks that somebody still speaks; ends when nobody wants them any more. */
async function* untilAborted(
  blocks: AsyncIterable<AudioBlock>,
  signal: AbortSignal,
): AsyncGenerator<AudioBlock, void> {
  const iterator = blocks[Symbol.asyncIterator]();
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  while (!signal.aborted) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next === undefined || next.done) return;
    yield next.value;
  }
}
