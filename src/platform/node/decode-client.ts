// Recordings decoded in threads of their own: neither a large file nor a damaged one keeps a server from
// answering. A decoder that does not come to an end is ended with its thread; the other recordings of that
// thread go on in a new one, from where they were.

import type { Worker } from 'node:worker_threads';
import { AsrError } from '../../errors.ts';
import type { AudioBlock } from '../../signal/units.ts';
import { fromFailure } from '../thread/failure.ts';
import { type FromDecoder, type ToDecoder, workNote } from './decode-messages.ts';
import { startThread } from './start-thread.ts';

export interface DecoderOptions {
  readonly threads: number;
  /** A block that takes longer than this will never come. */
  readonly patienceMs: number;
}

export class Decoders {
  readonly #threads: DecodeThread[];

  constructor({ threads, patienceMs }: DecoderOptions) {
    this.#threads = Array.from({ length: threads }, () => new DecodeThread(patienceMs));
  }

  /** The recording's sound. Fails like `openAudioFile` and its blocks, and with the signal's reason. */
  async *blocks(path: string, signal: AbortSignal): AsyncGenerator<AudioBlock, void> {
    const [thread] = [...this.#threads].sort((a, b) => a.load - b.load);
    if (thread === undefined) return;
    yield* thread.blocks(path, signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/** The thread was ended; `guilty` is the recording that it was ended for. */
class Ended extends Error {
  readonly guilty: number;

  constructor(guilty: number) {
    super('the thread that decodes has ended');
    this.guilty = guilty;
  }
}

interface Question {
  readonly resolve: (answer: FromDecoder) => void;
  readonly reject: (error: Error) => void;
}

class DecodeThread {
  load = 0;
  readonly #patienceMs: number;
  readonly #questions = new Map<number, Question>();
  #worker: Worker | undefined;
  #atWorkOn = workNote();
  #patience: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  async *blocks(path: string, signal: AbortSignal): AsyncGenerator<AudioBlock, void> {
    let id = ++this.#lastId;
    let nextSample = 0;
    this.load++;
    let ahead = this.#next(id, path);
    try {
      for (;;) {
        signal.throwIfAborted();
        let answer: FromDecoder;
        try {
          answer = await ahead;
        } catch (error) {
          if (!(error instanceof Ended)) throw error;
          if (error.guilty === id) {
            throw new AsrError('audio-malformed', 'decoding it does not come to an end', { cause: error });
          }
          id = ++this.#lastId;
          ahead = this.#next(id, path);
          continue;
        }
        if (answer.type === 'end') return;
        if (answer.type === 'failed') throw fromFailure(answer.failure);
        ahead = this.#next(id, path);
        // In a new thread the recording begins again; what was given already is not given twice.
        if (answer.startSample < nextSample) continue;
        nextSample = answer.startSample + answer.samples.length;
        yield { startSample: answer.startSample, samples: answer.samples };
      }
    } finally {
      this.load--;
      ahead.catch(() => undefined); // nobody asks any more
      this.#tell({ type: 'close', id });
    }
  }

  async close(): Promise<void> {
    await this.#end(0);
  }

  #next(id: number, path: string): Promise<FromDecoder> {
    const answer = new Promise<FromDecoder>((resolve, reject) => {
      this.#questions.set(id, { resolve, reject });
    });
    this.#worker ??= this.#start();
    this.#tell({ type: 'next', id, path });
    this.#patience ??= this.#watch();
    answer.catch(() => undefined); // it may fail before it is awaited
    return answer;
  }

  #tell(message: ToDecoder): void {
    this.#worker?.postMessage(message);
  }

  #start(): Worker {
    this.#atWorkOn = workNote();
    const worker = startThread('decode-thread', this.#atWorkOn);
    worker.on('message', (message: FromDecoder) => {
      const question = this.#questions.get(message.id);
      this.#questions.delete(message.id);
      clearTimeout(this.#patience);
      this.#patience = this.#questions.size > 0 ? this.#watch() : undefined;
      question?.resolve(message);
    });
    // It ran out of memory, or worse: whatever it was at work on is to blame.
    worker.on('error', () => void this.#end(Atomics.load(this.#atWorkOn, 0)));
    return worker;
  }

  #watch(): NodeJS.Timeout {
    const ended = (): void => void this.#end(Atomics.load(this.#atWorkOn, 0));
    return setTimeout(ended, this.#patienceMs).unref();
  }

  async #end(guilty: number): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    const questions = [...this.#questions.values()];
    this.#questions.clear();
    for (const { reject } of questions) reject(new Ended(guilty));
    worker?.removeAllListeners();
    await worker?.terminate();
  }
}
