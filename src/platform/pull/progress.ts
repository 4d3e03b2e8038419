// How far a pull has come, told a few times a second.

import type { InstallProgress } from '../install/progress.ts';

/** Speed is averaged over so long. */
const SPEED_SECONDS = 5;
const BETWEEN_REPORTS_SECONDS = 0.2;

export interface PullProgress extends InstallProgress {
  /** undefined while nothing comes. */
  readonly secondsLeft: number | undefined;
}

export class PullMeter {
  /** All bytes that came over the network. */
  receivedBytes = 0;
  readonly #report: (progress: PullProgress) => void;
  readonly #now: () => number;
  #doneBytes = 0;
  #totalBytes = 0;
  #at: InstallProgress['at'] = 'checking';
  #file = '';
  /** [seconds, bytes received until then, bytes done until then], oldest first. */
  #marks: [number, number, number][] = [];
  #reportedAt = -Infinity;

  constructor(report: (progress: PullProgress) => void, nowSeconds = (): number => performance.now() / 1000) {
    this.#report = report;
    this.#now = nowSeconds;
  }

  received(file: string, bytes: number): void {
    this.receivedBytes += bytes;
    this.#tell('fetching', file);
  }

  trouble(file: string): void {
    this.#tell('retrying', file);
  }

  converted(doneBytes: number, totalBytes: number): void {
    this.#doneBytes = doneBytes;
    this.#totalBytes = totalBytes;
    this.#tell(this.#at, this.#file);
  }

  /** The rest is only hashed. */
  checking(file: string): void {
    this.#tell('checking', file);
  }

  #tell(at: InstallProgress['at'], file: string): void {
    const now = this.#now();
    const isNew = at !== this.#at;
    this.#at = at;
    this.#file = file;
    if (!isNew && now - this.#reportedAt < BETWEEN_REPORTS_SECONDS) return;
    this.#reportedAt = now;
    this.#marks.push([now, this.receivedBytes, this.#doneBytes]);
    while (this.#marks.length > 2 && (this.#marks[1]?.[0] ?? now) <= now - SPEED_SECONDS) this.#marks.shift();
    const [seconds, received, done] = this.#marks[0] ?? [now, this.receivedBytes, this.#doneBytes];
    const per = (bytes: number): number => (now > seconds ? bytes / (now - seconds) : 0);
    const speed = per(this.#doneBytes - done);
    this.#report({
      at,
      file,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond: per(this.receivedBytes - received),
      secondsLeft: speed > 0 ? (this.#totalBytes - this.#doneBytes) / speed : undefined,
    });
  }
}
