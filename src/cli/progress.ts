// Progress on standard error: one line that is rewritten in a terminal, silence in a pipe.

const RATE_LIMIT_MS = 100;

/** One line of progress. `done` clears it. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  #lastMs = 0;
  #shown = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show(text: string): void {
    if (!this.#stream.isTTY || performance.now() - this.#lastMs < RATE_LIMIT_MS) return;
    this.#lastMs = performance.now();
    this.#shown = true;
    this.#stream.write(`\r\u001b[2K${text.slice(0, Math.max(20, this.#stream.columns - 1))}`);
  }

  done(): void {
    if (this.#shown) this.#stream.write('\r\u001b[2K');
    this.#shown = false;
  }
}

/** `[#####     ] 50%` */
export function bar(fraction: number, width = 24): string {
  const part = Math.min(1, Math.max(0, fraction));
  const full = Math.round(part * width);
  return `[${'#'.repeat(full)}${' '.repeat(width - full)}] ${String(Math.floor(part * 100)).padStart(3)}%`;
}

/** `1:02:03` or `2:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '');
}
