// The thread's side: builds the engine when asked, then speaks wire/worker-messages. The other side of
// engine-client.ts.

import { assert, unreachable } from '../../errors.ts';
import type { Engine, LoadEvent } from '../../engine/engine.ts';
import type { TranscribeOptions } from '../../engine/events.ts';
import type { AudioBlock } from '../../signal/units.ts';
import type { SoundPort } from '../../wire/capture-messages.ts';
import type { FromWorker, ToWorker } from '../../wire/worker-messages.ts';
import type { Endpoint } from './endpoint.ts';
import { fromFailure, toFailure } from './failure.ts';
import { PortReader } from './port-audio.ts';

/** Blocks that may be under way or waiting: enough to keep the engine busy, little to hold. */
const CREDIT_BLOCKS = 8;

/** Makes an engine out of a platform's own request. */
export type Build<Load> = (request: Load, onLoad: (event: LoadEvent) => void) => Promise<Engine>;

/** Serves one door until the thread ends. */
export function hostEngine<Load>(endpoint: Endpoint<FromWorker, ToWorker<Load>>, build: Build<Load>): void {
  const jobs = new Map<number, HostedJob>();
  let engine: Engine | undefined;

  const load = async (id: number, request: Load): Promise<void> => {
    await engine?.release();
    engine = await build(request, (event) => endpoint.post({ type: 'loading', id, event }));
    endpoint.post({ type: 'loaded', id, info: engine.info });
  };
  const transcribe = async (id: number, options: TranscribeOptions, port?: SoundPort): Promise<void> => {
    assert(engine !== undefined, 'a model is loaded before a job comes');
    const job = new HostedJob((blocks) => endpoint.post({ type: 'credit', id, blocks }), port);
    jobs.set(id, job);
    try {
      for await (const event of engine.transcribe(job.audio(), options, job.signal)) {
        endpoint.post({ type: 'event', id, event });
      }
    } finally {
      jobs.delete(id);
    }
    endpoint.post({ type: 'done', id });
  };
  const attempt = (id: number, work: Promise<void>): void => {
    work.catch((error: unknown) => endpoint.post({ type: 'failed', id, failure: toFailure(error) }));
  };

  endpoint.listen((message) => {
    const { id } = message;
    switch (message.type) {
      case 'load':
        return attempt(id, load(id, message.request));
      case 'transcribe':
        return attempt(id, transcribe(id, message.options, message.port));
      case 'block':
        return jobs.get(id)?.push({ startSample: message.startSample, samples: message.samples });
      case 'finish':
        return jobs.get(id)?.finish();
      case 'audio-failed':
        return jobs.get(id)?.finish(fromFailure(message.failure));
      case 'abort':
        return jobs.get(id)?.abort();
      case 'release':
        return attempt(id, engine?.release() ?? Promise.resolve());
      default:
        return unreachable(message);
    }
  });
}

/** One job's audio, as an async iterable over messages. */
class HostedJob {
  readonly #grant: (blocks: number) => void;
  readonly #controller = new AbortController();
  readonly #blocks: AudioBlock[] = [];
  #ended: 'open' | 'finished' | { error: unknown } = 'open';
  /** Where the sound comes from, when it has a way of its own. */
  readonly #reader: PortReader | undefined;
  #wake = (): void => {};

  constructor(grant: (blocks: number) => void, port: SoundPort | undefined) {
    this.#grant = grant;
    this.#reader = port && new PortReader(port);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  async *audio(): AsyncGenerator<AudioBlock, void> {
    if (this.#reader !== undefined) return yield* this.#reader.blocks();
    this.#grant(CREDIT_BLOCKS);
    for (;;) {
      this.signal.throwIfAborted();
      const block = this.#blocks.shift();
      if (block !== undefined) {
        yield block;
        this.#grant(1);
      } else if (this.#ended === 'finished') return;
      else if (this.#ended !== 'open') throw this.#ended.error;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  push(block: AudioBlock): void {
    this.#blocks.push(block);
    this.#wake();
  }

  finish(error?: unknown): void {
    this.#ended = error === undefined ? 'finished' : { error };
    this.#reader?.end();
    this.#wake();
  }

  abort(): void {
    this.#controller.abort();
    this.#reader?.end();
    this.#wake();
  }
}
