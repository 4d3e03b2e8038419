// The door's side of an engine in another thread: the same `Engine` interface, spoken over an Endpoint.
//
//   door ── load, transcribe, block…, finish ──►  engine-host
//        ◄── loaded, credit, event…, done ─────
//
// Blocks are moved, not copied, and only as many as the other side has asked for (credit), so an
// hour-long file is never queued twice.

import { unreachable } from '../../errors.ts';
import type { Engine, EngineInfo, LoadEvent } from '../../engine/engine.ts';
import type { TranscribeOptions, TranscriptEvent } from '../../engine/events.ts';
import type { AudioBlock } from '../../signal/units.ts';
import type { Failure, FromWorker, ToWorker } from '../../wire/worker-messages.ts';
import type { Endpoint } from './endpoint.ts';
import { fromFailure, toFailure } from './failure.ts';
import { PortAudio } from './port-audio.ts';

/** Gets the messages of one question. */
type Inbox = (message: FromWorker) => void;

export interface ConnectOptions<Load> {
  readonly request: Load;
  readonly onLoad?: (event: LoadEvent) => void;
  /** Ends the other thread. */
  readonly terminate: () => void | Promise<void>;
}

/**
 * Loads a model in the thread behind `endpoint` and returns its engine.
 *
 * `crashed` rejects when the thread dies; every open question then fails with that error.
 */
export async function connectEngine<Load>(
  endpoint: Endpoint<ToWorker<Load>, FromWorker>,
  { request, onLoad, terminate }: ConnectOptions<Load>,
  crashed: Promise<never>,
): Promise<Engine> {
  const inboxes = new Map<number, Inbox>();
  endpoint.listen((message) => inboxes.get(message.id)?.(message));
  let over: Failure | undefined;
  const failAll = (failure: Failure): void => {
    over = failure;
    for (const [id, inbox] of inboxes) inbox({ type: 'failed', id, failure });
  };
  crashed.catch((error: unknown) => failAll(toFailure(error)));
  let lastId = 0;
  const open = (inbox: Inbox): number => {
    if (over !== undefined) throw fromFailure(over);
    inboxes.set(++lastId, inbox);
    return lastId;
  };

  const info = await new Promise<EngineInfo>((resolve, reject) => {
    const id = open((message) => {
      if (message.type === 'loading') onLoad?.(message.event);
      else if (message.type === 'loaded') resolve(message.info);
      else if (message.type === 'failed') reject(fromFailure(message.failure));
    });
    endpoint.post({ type: 'load', id, request });
  });

  return {
    info,
    async *transcribe(audio, options, signal) {
      signal.throwIfAborted();
      yield* new RemoteJob(endpoint, open, (id) => inboxes.delete(id)).run(audio, options, signal);
    },
    async release() {
      failAll({ code: 'aborted', message: 'The engine was released' });
      await terminate();
    },
  };
}

/** One `transcribe` call under way. */
class RemoteJob<Load> {
  readonly #endpoint: Endpoint<ToWorker<Load>, FromWorker>;
  readonly #close: (id: number) => void;
  readonly #id: number;
  readonly #events: TranscriptEvent[] = [];
  #outcome: 'running' | 'done' | { failure: Failure } = 'running';
  #wake = (): void => {};
  #credit = 0;
  #refill = (): void => {};

  constructor(
    endpoint: Endpoint<ToWorker<Load>, FromWorker>,
    open: (inbox: Inbox) => number,
    close: (id: number) => void,
  ) {
    this.#endpoint = endpoint;
    this.#close = close;
    this.#id = open((message) => this.#receive(message));
  }

  async *run(
    audio: AsyncIterable<AudioBlock>,
    options: TranscribeOptions,
    signal: AbortSignal,
  ): AsyncGenerator<TranscriptEvent, void> {
    const id = this.#id;
    const abort = (): void => {
      this.#endpoint.post({ type: 'abort', id });
      this.#wake();
    };
    signal.addEventListener('abort', abort, { once: true });
    const sending = this.#begin(audio, options);
    try {
      for (;;) {
        signal.throwIfAborted();
        const event = this.#events.shift();
        if (event !== undefined) yield event;
        else if (this.#outcome === 'done') return;
        else if (this.#outcome !== 'running') throw fromFailure(this.#outcome.failure, signal.reason);
        else await new Promise<void>((wake) => (this.#wake = wake));
      }
    } finally {
      signal.removeEventListener('abort', abort);
      if (this.#outcome === 'running') await this.#abandon(abort);
      this.#refill();
      await sending;
      this.#close(id);
    }
  }

  /** The consumer left early: the other side is told, and its answer awaited, so that the lane is free. */
  async #abandon(abort: () => void): Promise<void> {
    abort();
    while (this.#outcome === 'running') await new Promise<void>((wake) => (this.#wake = wake));
  }

  /** Asks for the text of `audio`; settles when there is nothing more to send. */
  async #begin(audio: AsyncIterable<AudioBlock>, options: TranscribeOptions): Promise<void> {
    const id = this.#id;
    if (audio instanceof PortAudio) {
      const { port } = audio;
      audio.onEnd(() => this.#endpoint.post({ type: 'finish', id }));
      return this.#endpoint.post({ type: 'transcribe', id, options, port }, [port]);
    }
    this.#endpoint.post({ type: 'transcribe', id, options });
    await this.#send(audio);
  }

  /** Sends blocks as credit comes in; stops when the job is over. Never rejects. */
  async #send(audio: AsyncIterable<AudioBlock>): Promise<void> {
    const id = this.#id;
    try {
      for await (const { startSample, samples } of audio) {
        while (this.#credit === 0 && this.#running)
          await new Promise<void>((refill) => (this.#refill = refill));
        if (!this.#running) return;
        this.#credit--;
        const moved = samples.slice();
        this.#endpoint.post({ type: 'block', id, startSample, samples: moved }, [moved.buffer]);
      }
      if (this.#running) this.#endpoint.post({ type: 'finish', id });
    } catch (error) {
      // The audio's own failure goes through the job, so that the text up to there is kept and the order stays.
      if (this.#running) this.#endpoint.post({ type: 'audio-failed', id, failure: toFailure(error) });
    }
  }

  get #running(): boolean {
    return this.#outcome === 'running';
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'credit':
        this.#credit += message.blocks;
        return this.#refill();
      case 'event':
        this.#events.push(message.event);
        return this.#wake();
      case 'done':
        this.#outcome = 'done';
        break;
      case 'failed':
        this.#outcome = { failure: message.failure };
        break;
      case 'loading':
      case 'loaded':
        return;
      default:
        return unreachable(message);
    }
    this.#wake();
    this.#refill();
  }
}
