// While a page works, the screen stays on and no new version takes over, whichever tab wants it.

import { stayAwake } from './wake-lock.ts';

const LOCK = 'sotto:at-work';

export class AtWork {
  #end: (() => void) | undefined;

  /** Takes note of whether this page works now. */
  set(working: boolean): void {
    if (working === (this.#end !== undefined)) return;
    this.#end?.();
    this.#end = working ? begin() : undefined;
  }
}

function begin(): () => void {
  const sleep = stayAwake();
  let letGo = (): void => undefined;
  const done = new Promise<void>((resolve) => (letGo = resolve));
  locks()
    ?.request(LOCK, { mode: 'shared' }, () => done)
    .catch(() => undefined); // the page is being closed
  return () => {
    letGo();
    sleep();
  };
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
