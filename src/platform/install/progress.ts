// How far an installation has come, told a few times a second.

export interface InstallProgress {
  /**
   * `waiting`: another tab or program is at it, whose progress this is; `checking`: reading what is stored;
   * `fetching`; `retrying`: the source gives nothing just now.
   */
  readonly at: 'waiting' | 'checking' | 'fetching' | 'retrying';
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Over the last few seconds; 0 while nothing comes. */
  readonly bytesPerSecond: number;
  /** The file last worked on. */
  readonly file: string;
}

/** Speed is averaged over so long: steady enough to read, quick enough to notice a change. */
const SPEED_SECONDS = 5;
const BETWEEN_REPORTS_SECONDS = 0.2;

/** Keeps the sums. Files report where they stand; a file may also fall back, when a piece of it was wrong. */
export class ProgressMeter {
  readonly #totalBytes: number;
  readonly #report: (progress: InstallProgress) => void;
  readonly #now: () => number;
  readonly #standing = new Map<string, number>();
  #doneBytes = 0;
  #receivedBytes = 0;
  /** [seconds, bytes received until then], oldest first. */
  #marks: [number, number][] = [];
  #reportedAt = -Infinity;
  #lastState: InstallProgress['at'] | undefined;

  constructor(
    totalBytes: number,
    report: (progress: InstallProgress) => void,
    nowSeconds = (): number => performance.now() / 1000,
  ) {
    this.#totalBytes = totalBytes;
    this.#report = report;
    this.#now = nowSeconds;
  }

  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** Says how many bytes of `file` are there now. */
  stand(file: string, bytes: number, at: InstallProgress['at']): void {
    const gained = bytes - (this.#standing.get(file) ?? 0);
    this.#standing.set(file, bytes);
    this.#doneBytes += gained;
    if (at === 'fetching') this.#receivedBytes += Math.max(0, gained);
    this.#tell(file, at);
  }

  /** Says that `file` makes no headway. */
  trouble(file: string): void {
    this.#tell(file, 'retrying');
  }

  #tell(file: string, at: InstallProgress['at']): void {
    const now = this.#now();
    const due = now - this.#reportedAt >= BETWEEN_REPORTS_SECONDS || this.#doneBytes === this.#totalBytes;
    if (!due && at === this.#lastState) return;
    this.#reportedAt = now;
    this.#lastState = at;
    this.#report({
      at,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond: this.#speed(now),
      file,
    });
  }

  #speed(now: number): number {
    this.#marks.push([now, this.#receivedBytes]);
    while (this.#marks.length > 2 && (this.#marks[1]?.[0] ?? now) <= now - SPEED_SECONDS) this.#marks.shift();
    const [seconds, bytes] = this.#marks[0] ?? [now, this.#receivedBytes];
    return now > seconds ? (this.#receivedBytes - bytes) / (now - seconds) : 0;
  }
}
