// The page's side of the service worker (workers/sw.ts): keeps it registered, tells of new versions, lets
// one take over when nobody is at work.

import type { FromShell, ToShell } from '../../wire/shell-messages.ts';

export interface ShellListener {
  /** A new version is complete and waits. */
  onUpdate(): void;
  /** Another version answers for this page from now on. `first`: none did before. */
  onTakenOver(first: boolean): void;
  onKit(message: Extract<FromShell, { type: 'kit' }>): void;
}

/** Looking for a new version in a page that stays open: at most this often. */
const LOOK_AGAIN_MILLISECONDS = 60 * 60 * 1000;

export class ShellWorker {
  readonly #registration: ServiceWorkerRegistration;

  private constructor(registration: ServiceWorkerRegistration) {
    this.#registration = registration;
  }

  /** Undefined where there are no service workers, as in some private windows. */
  static async start(script: string, listener: ShellListener): Promise<ShellWorker | undefined> {
    const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer };
    if (serviceWorker === undefined) return undefined;
    let answered = serviceWorker.controller !== null;
    serviceWorker.addEventListener('controllerchange', () => {
      listener.onTakenOver(!answered);
      answered = true;
    });
    serviceWorker.addEventListener('message', ({ data }: MessageEvent<FromShell>) => listener.onKit(data));
    serviceWorker.startMessages();
    try {
      const registration = await serviceWorker.register(script, { updateViaCache: 'none' });
      const shell = new ShellWorker(registration);
      shell.#watch(listener);
      return shell;
    } catch {
      // Storage is off, or the host does not send the script: the page works as long as it is open.
      return undefined;
    }
  }

  /** Asks for all that is needed to read without a network; the listener hears how far it is. */
  async keepKit(build: string): Promise<void> {
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage({ type: 'keep-kit', build } satisfies ToShell);
  }

  /** The waiting version takes over every open page; they hear `onTakenOver`. */
  takeOver(): void {
    this.#registration.waiting?.postMessage({ type: 'take-over' } satisfies ToShell);
  }

  #watch(listener: ShellListener): void {
    const registration = this.#registration;
    if (registration.waiting !== null) listener.onUpdate();
    registration.addEventListener('updatefound', () => {
      const { installing } = registration;
      installing?.addEventListener('statechange', () => {
        // The very first version waits for nobody and is no news.
        if (installing.state === 'installed' && registration.active !== null) listener.onUpdate();
      });
    });
    let lookedMs = performance.now();
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden' || performance.now() - lookedMs < LOOK_AGAIN_MILLISECONDS)
        return;
      lookedMs = performance.now();
      // Offline: the next time.
      registration.update().catch(() => undefined);
    });
  }
}
