// Short messages at the edge of the page, some with a way back, and what screen readers are told.

export interface Notice {
  readonly id: number;
  /** Asked each time it is shown, so that it follows the language. */
  readonly text: () => string;
  readonly action?: { readonly label: () => string; readonly run: () => void | Promise<void> };
}

/** Long enough to read and to change one's mind. */
const SHOWN_MILLISECONDS = 10_000;

export class Notices {
  list = $state.raw<readonly Notice[]>([]);
  #nextId = 1;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();

  show(text: () => string, action?: Notice['action']): void {
    const id = this.#nextId++;
    this.list = [...this.list, { id, text, ...(action !== undefined && { action }) }];
    this.resume(id);
  }

  /** The pointer or the focus is on it: it stays. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
  }

  resume(id: number): void {
    this.hold(id);
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), SHOWN_MILLISECONDS),
    );
  }

  dismiss(id: number): void {
    this.hold(id);
    this.#timers.delete(id);
    this.list = this.list.filter((notice) => notice.id !== id);
  }
}

/** Text that came in is gathered for so long before it is said, so that speech is not cut off by more speech. */
const GATHER_MILLISECONDS = 3000;

export class Announcer {
  /** What a polite live region says. */
  said = $state('');
  #gathered: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Says a sentence soon. */
  say(text: string): void {
    if (text.trim() === '') return;
    this.#gathered.push(text);
    this.#timer ??= setTimeout(() => {
      this.said = this.#gathered.join(' ');
      this.#gathered = [];
      this.#timer = undefined;
    }, GATHER_MILLISECONDS);
  }
}
