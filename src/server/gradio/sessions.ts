// Which calls belong to which client, and who listens to them.

import { AsrError } from '../../errors.ts';
import type { Job, Jobs } from '../jobs.ts';
import { Call, type CallEvent } from './calls.ts';

/** Calls that nobody listens to are dropped after this long. */
const FORGOTTEN_MS = 10 * 60_000;
/** A client's stream closes for a moment when its network changes; its calls wait this long. */
const GRACE_MS = 2_000;

/** The calls of one client; its stream tells them all. */
class Session {
  readonly calls = new Map<string, Call>();
  wake = (): void => undefined;
  listeners = 0;
  timer: NodeJS.Timeout | undefined;
}

export interface Said {
  readonly id: string;
  readonly event: CallEvent;
}

export class GradioSessions {
  readonly #jobs: Jobs;
  readonly #sessions = new Map<string, Session>();
  /** Calls outside of sessions, by number. */
  readonly #calls = new Map<string, { readonly call: Call; readonly timer: NodeJS.Timeout }>();

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  /** queue/join: what the call says comes on the session's stream. */
  join(hash: string, job: Job): string {
    const session = this.#sessions.get(hash) ?? new Session();
    this.#sessions.set(hash, session);
    const call = new Call(this.#jobs, job, () => session.wake());
    session.calls.set(call.id, call);
    if (session.listeners === 0) this.#dropLater(hash, session, FORGOTTEN_MS);
    return call.id;
  }

  /** call/…: what the call says is fetched by its number, once. */
  call(job: Job): string {
    const call = new Call(this.#jobs, job);
    const timer = setTimeout(() => this.#forget(call.id), FORGOTTEN_MS).unref();
    this.#calls.set(call.id, { call, timer });
    return call.id;
  }

  /** Takes the call of that number; who stops listening to it has left. Fails with `address-unknown`. */
  listen(id: string, signal: AbortSignal): AsyncGenerator<CallEvent, void> {
    const held = this.#calls.get(id);
    if (held === undefined) throw new AsrError('address-unknown', 'there is no such event');
    this.#calls.delete(id);
    clearTimeout(held.timer);
    return heard(held.call, signal);
  }

  /**
   * Everything that the session's calls say, until all of them are over; `undefined` when there was no news
   * for a while. A session that nobody knows ends at once.
   */
  async *stream(
    hash: string,
    signal: AbortSignal,
    heartbeatMs: number,
  ): AsyncGenerator<Said | undefined, void> {
    const session = this.#sessions.get(hash);
    if (session === undefined) return;
    clearTimeout(session.timer);
    session.listeners++;
    try {
      while (!signal.aborted) {
        const said = nextOf(session);
        if (said !== undefined) yield said;
        else if (session.calls.size === 0) return;
        else if (!(await news(session, signal, heartbeatMs))) yield undefined;
      }
    } finally {
      session.listeners--;
      if (session.listeners === 0) this.#dropLater(hash, session, session.calls.size === 0 ? 0 : GRACE_MS);
    }
  }

  /** Ends a call; says whether there was one. */
  cancel(hash: string | undefined, id: string): boolean {
    const session = hash === undefined ? undefined : this.#sessions.get(hash);
    const call = session?.calls.get(id) ?? this.#calls.get(id)?.call;
    call?.cancel();
    return call !== undefined;
  }

  /** Whoever kept the session open has gone. */
  leave(hash: string): void {
    const session = this.#sessions.get(hash);
    if (session !== undefined && session.listeners === 0) this.#dropLater(hash, session, GRACE_MS);
  }

  close(): void {
    for (const hash of [...this.#sessions.keys()]) this.#drop(hash);
    for (const id of [...this.#calls.keys()]) this.#forget(id);
  }

  #dropLater(hash: string, session: Session, ms: number): void {
    clearTimeout(session.timer);
    session.timer = setTimeout(() => session.listeners === 0 && this.#drop(hash), ms).unref();
  }

  #drop(hash: string): void {
    const session = this.#sessions.get(hash);
    this.#sessions.delete(hash);
    clearTimeout(session?.timer);
    for (const call of session?.calls.values() ?? []) call.cancel();
  }

  #forget(id: string): void {
    const held = this.#calls.get(id);
    this.#calls.delete(id);
    clearTimeout(held?.timer);
    held?.call.cancel();
  }
}

async function* heard(call: Call, signal: AbortSignal): AsyncGenerator<CallEvent, void> {
  try {
    yield* call.events(signal);
  } finally {
    call.cancel();
  }
}

/** The next thing that a call of the session says; calls that are over leave it. */
function nextOf(session: Session): Said | undefined {
  for (const [id, call] of session.calls) {
    const event = call.take();
    if (call.over) session.calls.delete(id);
    if (event !== undefined) return { id, event };
  }
  return undefined;
}

/** Waits until a call of the session has something to say; false when that took too long. */
async function news(session: Session, signal: AbortSignal, patienceMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  let came = false;
  await new Promise<void>((resolve) => {
    session.wake = () => ((came = true), resolve());
    timer = setTimeout(resolve, patienceMs);
    signal.addEventListener('abort', session.wake, { once: true });
  });
  clearTimeout(timer);
  signal.removeEventListener('abort', session.wake);
  return came;
}
