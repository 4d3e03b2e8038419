// Steps that can be taken back and done again.

/** A step and its opposite. Applying one must not fail. */
export interface Step {
  apply(): void;
  revert(): void;
  /** Steps of the same name that follow each other quickly become one (typing). */
  readonly joinAs?: string;
}

/** Typing pauses longer than this start a new step. */
const JOIN_MILLISECONDS = 1200;
/** So long a memory costs little: steps share their texts. */
const MAX_STEPS = 1000;

export class History {
  #done = $state.raw<readonly Step[]>([]);
  #undone = $state.raw<readonly Step[]>([]);
  #lastAtMs = -Infinity;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** Does a step. What was undone before is forgotten. */
  do(step: Step): void {
    step.apply();
    const last = this.#done.at(-1);
    const nowMs = this.#now();
    const joins =
      step.joinAs !== undefined &&
      last?.joinAs === step.joinAs &&
      this.#undone.length === 0 &&
      nowMs - this.#lastAtMs < JOIN_MILLISECONDS;
    this.#lastAtMs = nowMs;
    this.#undone = [];
    this.#done = joins
      ? [...this.#done.slice(0, -1), together(last, step)]
      : [...this.#done.slice(-MAX_STEPS + 1), step];
  }

  undo(): void {
    const step = this.#done.at(-1);
    if (step === undefined) return;
    step.revert();
    this.#done = this.#done.slice(0, -1);
    this.#undone = [...this.#undone, step];
    this.#lastAtMs = -Infinity;
  }

  redo(): void {
    const step = this.#undone.at(-1);
    if (step === undefined) return;
    step.apply();
    this.#undone = this.#undone.slice(0, -1);
    this.#done = [...this.#done, step];
    this.#lastAtMs = -Infinity;
  }
}

function together(first: Step, second: Step): Step {
  return {
    ...second,
    apply: () => {
      first.apply();
      second.apply();
    },
    revert: () => {
      second.revert();
      first.revert();
    },
  };
}
