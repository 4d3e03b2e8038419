// The engine that reads, opened when it is first needed and kept warm. Knows which model on which device
// the user wants, and what became of the ways of computing that did not work.

import type { Engine, EngineInfo, LoadEvent, LoadStage } from '../../engine/engine.ts';
import type { WebEngineRequest } from '../../platform/web/engine-client.ts';
import type { ServerAddress } from '../../platform/web/server-engine.ts';
import { type FailureCode, failureOf } from './failure.ts';

export type EngineState =
  | { readonly at: 'closed' }
  | { readonly at: 'opening'; readonly stage: LoadStage | 'start' }
  | { readonly at: 'ready'; readonly info: EngineInfo }
  | { readonly at: 'failed'; readonly code: FailureCode; readonly detail: string };

export type StepDown = Extract<LoadEvent, { type: 'stepped-down' }>;

/** What should read: a model on a device of this machine, or a server in their place. */
export interface EngineWish extends WebEngineRequest {
  readonly server?: ServerAddress;
}

/** Opens an engine; the door decides where. Fails as `openWebEngine` and `connectServer` do. */
export type Connect = (request: EngineWish, onLoad: (event: LoadEvent) => void) => Promise<Engine>;

export class EngineRoom {
  state = $state.raw<EngineState>({ at: 'closed' });
  /** Ways of computing that were tried for this engine and given up. */
  stepDowns = $state.raw<readonly StepDown[]>([]);
  readonly #connect: Connect;
  readonly #wish: () => Promise<EngineWish>;
  readonly #onSteppedDown: (steps: readonly StepDown[]) => void;
  #current: { readonly key: string; readonly engine: Promise<Engine> } | undefined;

  /**
   * `wish` says which model on which device, as things stand. `onSteppedDown` is called when an engine is open
   * that is not on the first of its ways.
   */
  constructor(
    connect: Connect,
    wish: () => Promise<EngineWish>,
    onSteppedDown: (steps: readonly StepDown[]) => void = () => undefined,
  ) {
    this.#connect = connect;
    this.#wish = wish;
    this.#onSteppedDown = onSteppedDown;
  }

  /** The engine for what is wished now. Two callers get the same one; a new wish ends the old engine. */
  async open(): Promise<Engine> {
    const request = await this.#wish();
    const key = JSON.stringify([request.model, request.device, request.threads, request.server]);
    if (this.#current?.key === key) return this.#current.engine;
    const previous = this.#current?.engine;
    const current = { key, engine: this.#start(request, previous) };
    this.#current = current;
    current.engine.catch((error: unknown) => {
      if (this.#current !== current) return;
      this.#current = undefined;
      this.state = { at: 'failed', ...failureOf(error) };
    });
    return current.engine;
  }

  /** Starts loading before it is needed. What goes wrong is told by `state`. */
  warm(): void {
    this.open().catch(() => undefined);
  }

  /** Ends the engine: its worker crashed, or its model is to be deleted. */
  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    this.state = { at: 'closed' };
    const engine = await current?.engine.catch(() => undefined); // it failed to open: nothing to end
    await engine?.release();
  }

  async #start(request: WebEngineRequest, previous: Promise<Engine> | undefined): Promise<Engine> {
    this.stepDowns = [];
    this.state = { at: 'opening', stage: 'start' };
    // First make room: two models at once may not fit the device.
    await (await previous?.catch(() => undefined))?.release();
    const engine = await this.#connect(request, (event) => this.#hear(event));
    this.state = { at: 'ready', info: engine.info };
    if (this.stepDowns.length > 0) this.#onSteppedDown(this.stepDowns);
    return engine;
  }

  #hear(event: LoadEvent): void {
    if (event.type === 'stage') this.state = { at: 'opening', stage: event.stage };
    else this.stepDowns = [...this.stepDowns, event];
  }
}
