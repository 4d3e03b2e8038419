// One line for several servers (BullMQ on Redis): this server's side of it. Jobs that it takes in go to
// whichever server has a hand free (hand.ts); what that one says comes back here.
//
//   client ─► Jobs.run ─► SharedLine ─► ticket, recording ─► Redis ─► Hand of any server ─► its engine
//   client ◄─ events   ◄─ WaitingJob ◄─ this server's stream ◄──────┘

import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { AsrError, isAsrError } from '../../errors.ts';
import type { FileJob, JobEvent } from '../jobs.ts';
import {
  ATTEMPTS,
  DEAD_LETTERS,
  LEFT_CHANNEL,
  LIFE_SECONDS,
  PREFIX,
  QUEUE_NAME,
  RENEW_MS,
  type Ticket,
  type Told,
  toldKey,
} from './protocol.ts';
import { keepRecordings, putRecording, removeRecording } from './recordings.ts';
import { connectRedis, unreachable } from './redis.ts';
import { WaitingJob } from './waiting-job.ts';

export interface SharedLimits {
  /** Jobs that may wait, of all servers together. */
  readonly waiting: number;
  /** Jobs that may wait, of one asker at one server. */
  readonly waitingPerAsker: number;
}

/** A job of which nothing was heard for this long is looked up in the line. */
const SILENCE_MS = 5_000;
/** The stream is waited on for this long at a time. */
const LISTEN_MS = 5_000;
const RETRY_BACKOFF_MS = 500;

export class SharedLine {
  readonly #server = randomUUID();
  readonly #limits: SharedLimits;
  /** For what somebody waits for. */
  readonly #redis: Redis;
  readonly #ear: Redis;
  readonly #queue: Queue<Ticket>;
  readonly #jobs = new Map<string, WaitingJob>();
  /** Jobs that were not in the line when they were looked up; a second time means that they are lost. */
  readonly #missing = new Set<string>();
  readonly #renewing: NodeJS.Timeout;
  readonly #looking: NodeJS.Timeout;
  readonly #listening: Promise<void>;
  #closed = false;

  private constructor(redis: Redis, ear: Redis, limits: SharedLimits) {
    this.#limits = limits;
    this.#redis = redis;
    this.#ear = ear;
    this.#queue = new Queue<Ticket>(QUEUE_NAME, {
      connection: redis,
      prefix: PREFIX,
      defaultJobOptions: {
        attempts: ATTEMPTS,
        backoff: RETRY_BACKOFF_MS,
        removeOnComplete: true,
        removeOnFail: DEAD_LETTERS,
      },
    });
    this.#queue.on('error', () => undefined); // whoever asks is told
    this.#listening = this.#listen();
    this.#renewing = setInterval(() => void this.#renew().catch(() => undefined), RENEW_MS).unref();
    this.#looking = setInterval(() => void this.#look().catch(() => undefined), SILENCE_MS).unref();
  }

  /** Fails with `queue-unreachable`. */
  static async open(address: string, limits: SharedLimits): Promise<SharedLine> {
    const redis = await connectRedis(address, 'prompt');
    try {
      return new SharedLine(redis, await connectRedis(address, 'patient'), limits);
    } catch (error) {
      redis.disconnect();
      throw error;
    }
  }

  /** Jobs that this server has taken in. */
  get load(): { readonly running: number; readonly waiting: number } {
    const running = [...this.#jobs.values()].filter(({ begun }) => begun).length;
    return { running, waiting: this.#jobs.size - running };
  }

  /** The whole line, and the jobs that nobody could finish. */
  async counts(): Promise<{ waiting: number; running: number; dead: number }> {
    const counts = await this.#queue
      .getJobCounts('wait', 'prioritized', 'delayed', 'active', 'failed')
      .catch((error: unknown) => {
        throw unreachable(error);
      });
    const { wait = 0, prioritized = 0, delayed = 0, active = 0, failed = 0 } = counts;
    return { waiting: wait + prioritized + delayed, running: active, dead: failed };
  }

  /** Fails with `busy`, `queue-unreachable`, as the engine does, and with the signal's reason. */
  async *run(job: FileJob, signal: AbortSignal): AsyncGenerator<JobEvent, void> {
    const id = randomUUID();
    const turn = this.#turnOf(job.asker);
    const waiting = new WaitingJob(job.asker);
    this.#jobs.set(id, waiting);
    try {
      const ahead = await this.#put(id, job, turn, signal);
      if (ahead > 0) yield { type: 'queued', ahead };
      yield* waiting.events(signal);
    } finally {
      this.#jobs.delete(id);
      this.#missing.delete(id);
      await this.#leave(id).catch(() => undefined); // what stays there goes by itself
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#renewing);
    clearInterval(this.#looking);
    const there = this.#redis.status === 'ready' && this.#ear.status === 'ready';
    this.#ear.disconnect();
    // Without Redis no question to it is ever answered.
    if (there) {
      await this.#listening;
      await this.#redis.unlink(toldKey(this.#server)).catch(() => undefined);
      await this.#queue.close();
    }
    this.#redis.disconnect();
  }

  /** First jobs of all askers come before second ones, as in the line of a single server. */
  #turnOf(asker: string): number {
    const own = [...this.#jobs.values()].filter((job) => job.asker === asker && !job.begun).length;
    if (own >= this.#limits.waitingPerAsker) throw new AsrError('busy', `${own} jobs are waiting already`);
    return own + 1;
  }

  /** Says how many jobs come first. */
  async #put(id: string, job: FileJob, turn: number, signal: AbortSignal): Promise<number> {
    const { waiting } = await this.counts();
    if (waiting >= this.#limits.waiting) throw new AsrError('busy', `${waiting} jobs are waiting already`);
    const ticket: Ticket = { server: this.#server, model: job.model, options: job.options };
    try {
      await putRecording(this.#redis, id, job.audio.path, signal);
      await this.#queue.add('read', ticket, { jobId: id, priority: turn });
      return waiting;
    } catch (error) {
      signal.throwIfAborted();
      throw isAsrError(error) ? error : unreachable(error);
    }
  }

  /** Nobody waits for that job any more: answered, given up, or never begun. */
  async #leave(id: string): Promise<void> {
    await removeRecording(this.#redis, id);
    await this.#redis.publish(LEFT_CHANNEL, id);
    const job = await this.#queue.getJob(id);
    // Whoever works on it holds it; that one has just been told to stop.
    if (job !== undefined && !(await job.isFailed())) await job.remove().catch(() => undefined);
  }

  async #listen(): Promise<void> {
    const key = toldKey(this.#server);
    let last = '0';
    while (!this.#closed) {
      const streams = await this.#ear
        .xread('COUNT', 100, 'BLOCK', LISTEN_MS, 'STREAMS', key, last)
        .catch(() => null);
      for (const [id, [, text]] of streams?.[0]?.[1] ?? []) {
        last = id;
        const told = toldIn(text);
        if (told !== undefined) this.#jobs.get(told.job)?.hear(told);
      }
      if (streams !== null) await this.#redis.xtrim(key, 'MINID', last).catch(() => undefined);
      else if (!this.#closed && this.#ear.status !== 'ready') await pause(100);
    }
  }

  async #renew(): Promise<void> {
    await keepRecordings(this.#redis, this.#jobs.keys());
    await this.#redis.expire(toldKey(this.#server), LIFE_SECONDS);
  }

  /** Jobs of which nothing is heard: given up by the line, or lost with it? */
  async #look(): Promise<void> {
    for (const [id, job] of this.#jobs) {
      if (performance.now() - job.heardMs < SILENCE_MS) continue;
      const state = await this.#queue.getJobState(id);
      if (state === 'failed' || (state === 'unknown' && this.#missing.has(id))) {
        job.fail(new AsrError('engine-died', 'the servers that began to read this recording have died'));
      }
      if (state === 'unknown') this.#missing.add(id);
      else this.#missing.delete(id);
    }
  }
}

function toldIn(text: string | undefined): Told | undefined {
  try {
    return JSON.parse(text ?? '') as Told;
  } catch {
    return undefined; // not ours
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
