// What lies in Redis while several servers share one line, and what they tell each other.
//
//   sotto:jobs:…              BullMQ's own: tickets that wait, that are worked on, dead letters
//   sotto:recording:<job>     a list of pieces; gone when the job is answered, or soon after its server is
//   sotto:told:<server>       a stream: what is said about the jobs that this server has taken in
//   sotto:left                a channel: numbers of jobs that nobody waits for any more

import type { TranscribeOptions } from '../../engine/events.ts';
import type { Failure } from '../../wire/worker-messages.ts';
import type { JobEvent } from '../jobs.ts';

export const PREFIX = 'sotto';
export const QUEUE_NAME = 'jobs';
export const LEFT_CHANNEL = `${PREFIX}:left`;

/** What a server takes from the line. */
export interface Ticket {
  /** Who took the job in and waits for its answer. */
  readonly server: string;
  readonly model: string;
  readonly options: TranscribeOptions;
}

/** What whoever reads a recording says of it. Attempts count from 1; the latest one is to be believed. */
export interface Told {
  readonly job: string;
  readonly attempt: number;
  readonly what: { readonly event: JobEvent } | { readonly failure: Failure } | { readonly finished: true };
}

/** A server that does not renew what is its own for this long has gone. */
export const LIFE_SECONDS = 60;
export const RENEW_MS = 15_000;

/** A server that does not say for this long that it is at work on a job loses the job to another one. */
export const LOCK_MS = 6_000;
export const LOST_CHECK_MS = 3_000;

/** How often a job is begun at most: once more when a server died over it, or the engine did, twice. */
export const ATTEMPTS = 2;

/** Dead letters: jobs that no attempt could finish. Tickets only; there is no recording and no text in them. */
export const DEAD_LETTERS = { age: 7 * 24 * 3600, count: 1000 };

export function recordingKey(job: string): string {
  return `${PREFIX}:recording:${job}`;
}

export function toldKey(server: string): string {
  return `${PREFIX}:told:${server}`;
}
