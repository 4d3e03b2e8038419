// One call of the function, as Gradio's clients see it: it runs by itself and keeps what it has to say
// until somebody listens.

import { randomUUID } from 'node:crypto';
import type { Segment } from '../../engine/events.ts';
import type { AsrErrorCode } from '../../errors.ts';
import { joinText } from '../../text/join.ts';
import type { Job, JobEvent, Jobs } from '../jobs.ts';

/** What the function gives: the text, and its segments. */
export type Output = readonly [text: string, segments: readonly object[]];

export type CallEvent =
  | { readonly type: 'queued'; readonly ahead: number }
  | { readonly type: 'started' }
  | { readonly type: 'generating'; readonly output: Output }
  | { readonly type: 'progress'; readonly doneSeconds: number; readonly heardSeconds: number }
  | { readonly type: 'warning'; readonly code: AsrErrorCode; readonly message: string }
  | { readonly type: 'completed'; readonly output: Output; readonly seconds: number }
  | { readonly type: 'failed'; readonly error: unknown };

export class Call {
  readonly id = randomUUID();
  readonly #controller = new AbortController();
  readonly #events: CallEvent[] = [];
  readonly #onEvent: () => void;
  #ended = false;
  #wake = (): void => undefined;

  /** `onEvent` is called whenever there is something to take. */
  constructor(jobs: Jobs, job: Job, onEvent: () => void = () => undefined) {
    this.#onEvent = onEvent;
    void this.#run(jobs, job);
  }

  /** It has ended, and everything was heard. */
  get over(): boolean {
    return this.#ended && this.#events.length === 0;
  }

  cancel(): void {
    this.#controller.abort();
  }

  take(): CallEvent | undefined {
    return this.#events.shift();
  }

  /** What there is and what comes, to the end or until the signal aborts; for one listener. */
  async *events(signal: AbortSignal): AsyncGenerator<CallEvent, void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const event = this.take();
      if (event !== undefined) yield event;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #tell(event: CallEvent): void {
    this.#events.push(event);
    this.#wake();
    this.#onEvent();
  }

  async #run(jobs: Jobs, job: Job): Promise<void> {
    const startMs = performance.now();
    const segments: Segment[] = [];
    try {
      for await (const event of jobs.run(job, this.#controller.signal)) {
        const told = translated(event, segments);
        if (told !== undefined) this.#tell(told);
      }
      const seconds = (performance.now() - startMs) / 1000;
      this.#ended = true;
      this.#tell({ type: 'completed', output: outputOf(segments), seconds });
    } catch (error) {
      this.#ended = true;
      this.#tell({ type: 'failed', error });
    }
  }
}

function translated(event: JobEvent, segments: Segment[]): CallEvent | undefined {
  switch (event.type) {
    case 'queued':
    case 'started':
      return event;
    case 'final':
      segments.push(event.segment);
      return { type: 'generating', output: outputOf(segments) };
    case 'progress':
    case 'warning':
      return event;
    case 'window':
    case 'partial':
    case 'trace':
    case 'end':
      return undefined;
  }
}

function outputOf(segments: readonly Segment[]): Output {
  return [
    joinText(segments.map(({ text }) => text)),
    segments.map(({ startSeconds, endSeconds, text }) => ({ start: startSeconds, end: endSeconds, text })),
  ];
}
