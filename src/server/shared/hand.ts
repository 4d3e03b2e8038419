// The side of the shared line that takes jobs and reads them, whoever has put them there.

import { type Job as QueuedJob, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { isAsrError } from '../../errors.ts';
import { toFailure } from '../../platform/thread/failure.ts';
import type { FileJob, JobEvent } from '../jobs.ts';
import type { UploadFolder } from '../uploads.ts';
import {
  ATTEMPTS,
  LEFT_CHANNEL,
  LIFE_SECONDS,
  LOCK_MS,
  LOST_CHECK_MS,
  PREFIX,
  QUEUE_NAME,
  type Ticket,
  type Told,
  toldKey,
} from './protocol.ts';
import { hasRecording, piecesOf } from './recordings.ts';
import { connectRedis } from './redis.ts';

export interface HandParts {
  readonly uploads: UploadFolder;
  readonly read: (job: FileJob, signal: AbortSignal) => AsyncGenerator<JobEvent, void>;
  /** Jobs at once. */
  readonly parallel: number;
}

/** Why a job is stopped before it is finished. */
type Reason = 'left' | 'handed back' | 'lost';

class Stopped extends Error {
  readonly why: Reason;

  constructor(why: Reason) {
    super(why);
    this.why = why;
  }
}

/** Whoever took a job in may have died without a word. */
const STILL_WANTED_MS = 5_000;
/** Work that is handed back, or a last word to Redis, takes no longer. */
const FAREWELL_MS = 3_000;

export class Hand {
  readonly #parts: HandParts;
  readonly #redis: Redis;
  readonly #ear: Redis;
  readonly #worker: Worker<Ticket>;
  readonly #active = new Map<string, AbortController>();

  private constructor(redis: Redis, ear: Redis, parts: HandParts) {
    this.#parts = parts;
    this.#redis = redis;
    this.#ear = ear;
    ear.on('message', (_, id) => this.#active.get(id)?.abort(new Stopped('left')));
    this.#worker = new Worker<Ticket>(QUEUE_NAME, (job, token) => this.#work(job, token), {
      connection: redis,
      prefix: PREFIX,
      concurrency: parts.parallel,
      lockDuration: LOCK_MS,
      stalledInterval: LOST_CHECK_MS,
      maxStalledCount: ATTEMPTS - 1,
    });
    this.#worker.on('error', () => undefined); // BullMQ goes on when Redis is back
    this.#worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) this.#active.get(id)?.abort(new Stopped('lost'));
    });
  }

  /** Takes jobs from now on. Fails with `queue-unreachable`. */
  static async open(address: string, parts: HandParts): Promise<Hand> {
    const redis = await connectRedis(address, 'patient');
    try {
      const ear = await connectRedis(address, 'patient');
      await ear.subscribe(LEFT_CHANNEL);
      return new Hand(redis, ear, parts);
    } catch (error) {
      redis.disconnect();
      throw error;
    }
  }

  /** Takes no more jobs; those that are not finished after `graceMs` go back into the line, for another server. */
  async close(graceMs: number): Promise<void> {
    await this.#worker.pause(true);
    const patience = setTimeout(() => {
      for (const stop of this.#active.values()) stop.abort(new Stopped('handed back'));
    }, graceMs);
    // Without Redis no question to it is ever answered; then this server just goes.
    await Promise.race([this.#worker.close(this.#redis.status !== 'ready'), pause(graceMs + FAREWELL_MS)]);
    clearTimeout(patience);
    this.#ear.disconnect();
    this.#redis.disconnect();
  }

  async #work(job: QueuedJob<Ticket>, token: string | undefined): Promise<void> {
    const id = job.id ?? '';
    const stop = new AbortController();
    this.#active.set(id, stop);
    const asking = setInterval(() => {
      hasRecording(this.#redis, id).then(
        (wanted) => wanted || stop.abort(new Stopped('left')),
        () => undefined,
      );
    }, STILL_WANTED_MS);
    try {
      await this.#read(id, job, stop.signal);
    } catch (error) {
      await this.#failed(job, token, stop.signal.aborted ? stop.signal.reason : error);
    } finally {
      clearInterval(asking);
      this.#active.delete(id);
    }
  }

  async #read(id: string, job: QueuedJob<Ticket>, signal: AbortSignal): Promise<void> {
    const { model, options } = job.data;
    if (!(await hasRecording(this.#redis, id))) throw new Stopped('left');
    const form = await this.#parts.uploads.receivePieces(piecesOf(this.#redis, id));
    try {
      const [upload] = form.uploads;
      if (upload === undefined) throw new Stopped('left');
      await this.#tell(job, { event: { type: 'started' } });
      const audio = { path: upload.path };
      for await (const event of this.#parts.read({ asker: '', model, audio, options }, signal)) {
        await this.#tell(job, { event });
      }
      await this.#tell(job, { finished: true });
    } finally {
      await form.remove();
    }
  }

  /** A refusal is an answer; what may go better elsewhere is tried once more. */
  async #failed(job: QueuedJob<Ticket>, token: string | undefined, error: unknown): Promise<void> {
    if (error instanceof Stopped) {
      if (error.why === 'left') return;
      if (error.why === 'handed back') {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      throw error; // another server has it by now
    }
    const refused = isAsrError(error) && error.code !== 'engine-died' && error.code !== 'busy';
    if (refused) return this.#tell(job, { failure: toFailure(error) });
    const message = error instanceof Error ? error.name : 'failed';
    if (job.attemptsMade + 1 < ATTEMPTS) throw new Error(message, { cause: error });
    await this.#tell(job, { failure: toFailure(error) });
    throw new UnrecoverableError(isAsrError(error) ? error.code : message);
  }

  async #tell(job: QueuedJob<Ticket>, what: Told['what']): Promise<void> {
    const told: Told = { job: job.id ?? '', attempt: job.attemptsStarted, what };
    const key = toldKey(job.data.server);
    await this.#redis.multi().xadd(key, '*', 'told', JSON.stringify(told)).expire(key, LIFE_SECONDS).exec();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
