// The line in front of the engine: bounded, and fair between askers. Who sends a hundred files waits for
// their own files; somebody else's one file comes next.

import { AsrError } from '../errors.ts';

export interface QueueLimits {
  /** Jobs at once. */
  readonly parallel: number;
  /** Jobs that may wait, of all askers together. */
  readonly waiting: number;
  /** Jobs that may wait, of one asker. */
  readonly waitingPerAsker: number;
}

interface Waiting {
  readonly admit: () => void;
  readonly refuse: (error: Error) => void;
  readonly onRank: (rank: number) => void;
}

export class FairQueue {
  readonly #limits: QueueLimits;
  /** Askers in the order of their next turn; each with what it waits for, oldest first. */
  readonly #lines = new Map<string, Waiting[]>();
  #running = 0;
  #closed: Error | undefined;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return [...this.#lines.values()].reduce((sum, line) => sum + line.length, 0);
  }

  /**
   * Waits for a place and returns what gives it back. Fails with `busy` when the line is full, and with
   * the signal's reason. `onRank` hears how many jobs come before this one, each time that changes.
   */
  async enter(
    asker: string,
    signal: AbortSignal,
    onRank: (rank: number) => void = () => undefined,
  ): Promise<() => void> {
    signal.throwIfAborted();
    this.checkRoom(asker);
    if (this.#running < this.#limits.parallel) return this.#take();
    const line = this.#lines.get(asker) ?? [];
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#remove(asker, waiting);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        admit: () => (signal.removeEventListener('abort', leave), resolve()),
        refuse: (error) => (signal.removeEventListener('abort', leave), reject(error)),
        onRank,
      };
      signal.addEventListener('abort', leave, { once: true });
      line.push(waiting);
      this.#lines.set(asker, line);
      this.#tellRanks();
    });
    return this.#release();
  }

  /** Fails with `busy` where `enter` would. */
  checkRoom(asker: string): void {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#running < this.#limits.parallel) return;
    const own = this.#lines.get(asker)?.length ?? 0;
    if (this.waiting >= this.#limits.waiting || own >= this.#limits.waitingPerAsker) {
      throw new AsrError('busy', `${this.waiting} jobs are waiting already`);
    }
  }

  /** Refuses everybody from now on, also who waits. */
  close(reason: Error): void {
    this.#closed = reason;
    for (const line of this.#lines.values()) for (const waiting of line) waiting.refuse(reason);
    this.#lines.clear();
  }

  #take(): () => void {
    this.#running++;
    return this.#release();
  }

  #release(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#running--;
      this.#next();
    };
  }

  /** Admits the oldest job of the asker whose turn it is; that asker's next turn is the last. */
  #next(): void {
    for (const [asker, line] of this.#lines) {
      const waiting = line.shift();
      this.#lines.delete(asker);
      if (line.length > 0) this.#lines.set(asker, line);
      if (waiting === undefined) continue;
      this.#running++;
      waiting.admit();
      this.#tellRanks();
      return;
    }
  }

  #remove(asker: string, waiting: Waiting): void {
    const line = this.#lines.get(asker) ?? [];
    line.splice(line.indexOf(waiting), 1);
    if (line.length === 0) this.#lines.delete(asker);
    this.#tellRanks();
  }

  /** Places in the order in which turns will come: first jobs of all askers, then second ones, … */
  #tellRanks(): void {
    let rank = 0;
    const lines = [...this.#lines.values()];
    const longest = Math.max(0, ...lines.map((line) => line.length));
    for (let place = 0; place < longest; place++) {
      for (const line of lines) line[place]?.onRank(rank++);
    }
  }
}
