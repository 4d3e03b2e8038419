// While a page works, the screen stays on and no new version takes over, whichever tab wants it.

const LOCK = 'sotto:at-work';

export class AtWork {
  #letGo: (() => void) | undefined;
  #screen: WakeLockSentinel | undefined;

  /** Takes note of whether this page works now. */
  set(working: boolean): void {
    if (working === (this.#letGo !== undefined)) return;
    if (!working) {
      this.#letGo?.();
      this.#letGo = undefined;
      void this.#screen?.release();
      this.#screen = undefined;
      return;
    }
    const done = new Promise<void>((resolve) => (this.#letGo = resolve));
    locks()
      ?.request(LOCK, { mode: 'shared' }, () => done)
      .catch(() => undefined); // the page is being closed
    void this.keepScreenOn();
  }

  /** Browsers let the screen go when the page is hidden: due again when it is shown. */
  async keepScreenOn(): Promise<void> {
    if (this.#letGo === undefined || document.visibilityState === 'hidden') return;
    const { wakeLock } = navigator as { wakeLock?: WakeLock };
    // Refused on a low battery, and where there is none.
    const screen = await wakeLock?.request('screen').catch(() => undefined);
    if (this.#letGo === undefined) void screen?.release();
    else this.#screen = screen;
  }
}

/** Runs `work` once no page works; while it waits, `onWait` has been called. */
export async function whenNobodyWorks(work: () => Promise<void>, onWait: () => void): Promise<void> {
  const held = (await locks()?.query())?.held ?? [];
  if (held.some(({ name }) => name === LOCK)) onWait();
  await (locks()?.request(LOCK, { mode: 'exclusive' }, work) ?? work());
}

function locks(): LockManager | undefined {
  return (navigator as { locks?: LockManager }).locks;
}
