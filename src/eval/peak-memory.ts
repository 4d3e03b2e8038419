// The most memory that this process held during a stretch of work.
//
// On Linux the kernel keeps the peak itself and can be told to start over; elsewhere it is looked at ten times
// a second, and a short peak may be missed. Memory on a graphics device is not in it.

import { readFileSync, writeFileSync } from 'node:fs';

const LOOK_MS = 100;

export class PeakMemory {
  readonly #fromKernel: boolean;
  readonly #timer: NodeJS.Timeout;
  #peakBytes = process.memoryUsage.rss();
  /** Held when the stretch began. */
  readonly baselineBytes = this.#peakBytes;

  constructor() {
    this.#fromKernel = resetKernelPeak();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Ends the stretch. */
  stop(): number {
    clearInterval(this.#timer);
    this.#look();
    return this.#fromKernel ? (kernelPeakBytes() ?? this.#peakBytes) : this.#peakBytes;
  }

  #look(): void {
    this.#peakBytes = Math.max(this.#peakBytes, process.memoryUsage.rss());
  }
}

/** proc(5), /proc/pid/clear_refs: 5 resets the peak resident size. */
function resetKernelPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return kernelPeakBytes() !== undefined;
  } catch {
    return false; // another system, or not allowed: the timer has to do
  }
}

function kernelPeakBytes(): number | undefined {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
}
