// Engines behind the queue: one process per model, started when it is first needed, started again when it
// dies, ended when nobody has asked for a while.

import { AsrError, isAsrError } from '../errors.ts';
import type { EngineInfo } from '../engine/engine.ts';
import type { TranscribeOptions, TranscriptEvent } from '../engine/events.ts';
import type { EngineProcess } from '../platform/node/engine-client.ts';
import type { AudioBlock } from '../signal/units.ts';
import type { ShelfModel } from './model-shelf.ts';
import { Retelling } from './retelling.ts';

export interface PoolOptions {
  readonly start: (model: ShelfModel) => Promise<EngineProcess>;
  /** Models in memory at once. */
  readonly maxModels: number;
  /** A model that nobody has asked for this long is let go; 0: never. */
  readonly idleMs: number;
  readonly onEvent?: (event: PoolEvent) => void;
}

export type PoolEvent =
  | { readonly type: 'loaded'; readonly model: string; readonly info: EngineInfo; readonly ms: number }
  | { readonly type: 'unloaded'; readonly model: string }
  | { readonly type: 'died'; readonly model: string }
  | { readonly type: 'failed'; readonly model: string };

/** A model's process and who uses it. */
interface Lane {
  readonly model: ShelfModel;
  readonly process: Promise<EngineProcess>;
  users: number;
  alive: boolean;
  idleTimer: NodeJS.Timeout | undefined;
}

export class EnginePool {
  readonly #options: PoolOptions;
  readonly #lanes = new Map<string, Lane>();
  /** Who wants a lane gets it in the order of asking, so that a model in use cannot keep another out for ever. */
  #turn: Promise<unknown> = Promise.resolve();
  #wake = (): void => undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** What is loaded now. */
  async loaded(): Promise<{ model: string; info: EngineInfo; pid: number }[]> {
    const lanes = [...this.#lanes.values()].filter(({ alive }) => alive);
    const all = await Promise.allSettled(lanes.map(({ process }) => process));
    return all.flatMap((result, i) =>
      result.status === 'fulfilled'
        ? [{ model: lanes[i]?.model.id ?? '', info: result.value.engine.info, pid: result.value.pid }]
        : [],
    );
  }

  /** Loads a model so that the first asker need not wait. */
  async warmUp(model: ShelfModel): Promise<EngineInfo> {
    const lane = await this.#acquire(model, new AbortController().signal);
    try {
      return (await lane.process).engine.info;
    } finally {
      this.#giveBack(lane);
    }
  }

  /**
   * Reads a recording with a model. When the engine's process dies meanwhile, the recording is opened and
   * read once more on a new one; what was told already is not told again.
   */
  async *transcribe(
    model: ShelfModel,
    open: (signal: AbortSignal) => AsyncIterable<AudioBlock>,
    options: TranscribeOptions,
    signal: AbortSignal,
    rereadable = true,
  ): AsyncGenerator<TranscriptEvent, void> {
    const retelling = new Retelling();
    for (let attempt = 0; ; attempt++) {
      const lane = await this.#acquire(model, signal);
      try {
        const { engine } = await lane.process;
        for await (const event of engine.transcribe(open(signal), options, signal)) {
          if (retelling.isNews(event)) yield event;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (isAsrError(error) && error.code !== 'engine-died') throw error;
        // The process tells of its death a moment later than the job does.
        await Promise.race([(await lane.process.catch(() => undefined))?.ended, pause(100)]);
        if (lane.alive) throw error;
        if (attempt > 0 || !rereadable) {
          throw new AsrError('engine-died', 'the engine died while it read this recording', { cause: error });
        }
      } finally {
        this.#giveBack(lane);
      }
    }
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await Promise.all([...this.#lanes.values()].map((lane) => this.#unload(lane)));
  }

  async #acquire(model: ShelfModel, signal: AbortSignal): Promise<Lane> {
    const before = this.#turn;
    let done = (): void => undefined;
    this.#turn = new Promise<void>((resolve) => (done = resolve));
    try {
      await before;
      for (;;) {
        signal.throwIfAborted();
        if (this.#closed) throw new AsrError('busy', 'the server is stopping');
        const lane = this.#lanes.get(model.id) ?? this.#open(model);
        if (lane !== undefined) {
          lane.users++;
          clearTimeout(lane.idleTimer);
          return lane;
        }
        await this.#someoneLeaves(signal);
      }
    } finally {
      done();
    }
  }

  /** A new lane, in place of one that nobody uses if need be; undefined while all are in use. */
  #open(model: ShelfModel): Lane | undefined {
    if (this.#lanes.size >= this.#options.maxModels) {
      const idle = [...this.#lanes.values()].find(({ users }) => users === 0);
      if (idle === undefined) return undefined;
      void this.#unload(idle);
    }
    const startMs = performance.now();
    const lane: Lane = {
      model,
      process: this.#options.start(model),
      users: 0,
      alive: true,
      idleTimer: undefined,
    };
    this.#lanes.set(model.id, lane);
    lane.process.then(
      ({ engine, ended }) => {
        const ms = performance.now() - startMs;
        this.#options.onEvent?.({ type: 'loaded', model: model.id, info: engine.info, ms });
        void ended.then(() => this.#forget(lane, 'died'));
      },
      () => this.#forget(lane, 'failed'),
    );
    return lane;
  }

  #forget(lane: Lane, type: 'died' | 'unloaded' | 'failed'): void {
    if (!lane.alive) return;
    lane.alive = false;
    if (this.#lanes.get(lane.model.id) === lane) this.#lanes.delete(lane.model.id);
    this.#options.onEvent?.({ type, model: lane.model.id });
    this.#wake();
  }

  async #unload(lane: Lane): Promise<void> {
    clearTimeout(lane.idleTimer);
    this.#forget(lane, 'unloaded');
    await lane.process.then(({ engine }) => engine.release()).catch(() => undefined); // it never loaded: nothing to end
  }

  #giveBack(lane: Lane): void {
    lane.users--;
    this.#wake();
    const { idleMs } = this.#options;
    if (lane.users > 0 || idleMs === 0 || !lane.alive) return;
    clearTimeout(lane.idleTimer);
    lane.idleTimer = setTimeout(() => void this.#unload(lane), idleMs);
    lane.idleTimer.unref();
  }

  async #someoneLeaves(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
