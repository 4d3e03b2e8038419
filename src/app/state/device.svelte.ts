// This device: what it offers for computing, and which ways of computing read a known clip rightly.

import type { Engine } from '../../engine/engine.ts';
import { checkEngine, type GoldenClip } from '../../engine/self-check.ts';
import { isAbort, isAsrError } from '../../errors.ts';
import { candidatePaths, type ComputePath, isSoftware } from '../../platform/web/compute-path.ts';
import { describe, findAdapter } from '../../platform/web/gpu-device.ts';
import type { Connect, EngineRoom } from './engine-room.svelte.ts';
import { type FailureCode, failureOf } from './failure.ts';

export interface DeviceFacts {
  /** Undefined where there is no WebGPU. */
  readonly adapter: AdapterFacts | undefined;
  readonly threads: number;
  /** Without isolation WASM has one thread only. */
  readonly isolated: boolean;
  /** As the browser rounds it; most do not say. */
  readonly memoryGigabytes: number | undefined;
}

export interface AdapterFacts {
  readonly name: string;
  readonly software: boolean;
  readonly half: boolean;
  readonly maxBufferBytes: number;
}

export type CheckState =
  | { readonly at: 'waiting' }
  | { readonly at: 'running' }
  | { readonly at: 'right'; readonly text: string; readonly loadSeconds: number; readonly seconds: number }
  | {
      readonly at: 'wrong';
      readonly text: string;
      readonly why: string;
      readonly loadSeconds: number;
      readonly seconds: number;
    }
  | { readonly at: 'failed'; readonly code: FailureCode; readonly detail: string };

export interface PathCheck {
  readonly path: ComputePath;
  readonly state: CheckState;
}

export type DeviceCheck =
  | { readonly at: 'idle' }
  | { readonly at: 'running' }
  | { readonly at: 'done' }
  /** There is no clip or no sample model to check with. */
  | { readonly at: 'failed'; readonly code: FailureCode };

export class Device {
  facts = $state.raw<DeviceFacts | undefined>();
  /** Ways of computing here, best first. */
  paths = $state.raw<readonly PathCheck[]>([]);
  check = $state.raw<DeviceCheck>({ at: 'idle' });
  readonly #connect: Connect;
  readonly #room: EngineRoom;
  #abort: AbortController | undefined;

  constructor(connect: Connect, room: EngineRoom) {
    this.#connect = connect;
    this.#room = room;
  }

  async load(): Promise<void> {
    const adapter = await findAdapter().catch(() => undefined); // a driver that throws is none
    this.facts = {
      adapter: adapter && {
        name: describe(adapter.info),
        software: isSoftware(adapter),
        half: adapter.features.has('shader-f16'),
        maxBufferBytes: adapter.limits.maxBufferSize,
      },
      threads: globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1,
      isolated: globalThis.crossOriginIsolated,
      memoryGigabytes: (navigator as Navigator & { readonly deviceMemory?: number }).deviceMemory,
    };
    const gpu = adapter === undefined ? [] : await candidatePaths('webgpu');
    this.paths = [...gpu, 'wasm' as const].map((path) => ({ path, state: { at: 'waiting' } }));
  }

  /** The way that the open engine computes: the first that was not given up. Undefined while none is open. */
  get inUse(): ComputePath | undefined {
    const { state, stepDowns } = this.#room;
    if (state.at !== 'ready') return undefined;
    const given = new Set(stepDowns.map(({ from }) => from));
    const fits = (path: ComputePath): boolean => path.startsWith(state.info.provider) && !given.has(path);
    return this.paths.map(({ path }) => path).find(fits);
  }

  /** Lets the sample model read a clip in every way there is, one after the other. */
  async run(sampleAddress: string, golden: Promise<GoldenClip | undefined>): Promise<void> {
    if (this.check.at === 'running') return;
    const abort = (this.#abort = new AbortController());
    this.check = { at: 'running' };
    this.paths = this.paths.map(({ path }) => ({ path, state: { at: 'waiting' } }));
    try {
      const clip = await golden;
      if (clip === undefined) throw new Error('there is no clip');
      for (const { path } of this.paths) {
        abort.signal.throwIfAborted();
        this.#note(path, { at: 'running' });
        this.#note(path, await this.#tryPath(path, sampleAddress, clip, abort.signal));
      }
      this.check = { at: 'done' };
    } catch (error) {
      this.#settle();
      this.check = isAbort(error)
        ? { at: 'idle' }
        : { at: 'failed', code: isAsrError(error) ? error.code : 'model-not-found' };
    }
  }

  stop(): void {
    this.#abort?.abort();
  }

  async #tryPath(
    path: ComputePath,
    sampleAddress: string,
    clip: GoldenClip,
    signal: AbortSignal,
  ): Promise<CheckState> {
    const startMs = performance.now();
    let engine: Engine | undefined;
    try {
      engine = await this.#connect(
        { model: { at: 'url', baseUrl: sampleAddress }, device: path },
        () => undefined,
      );
      const loadSeconds = (performance.now() - startMs) / 1000;
      const { verdict, text, seconds, why } = await checkEngine(engine, clip, { exact: true, signal });
      return verdict === 'right'
        ? { at: 'right', text, loadSeconds, seconds }
        : { at: 'wrong', text, why, loadSeconds, seconds };
    } catch (error) {
      if (isAbort(error)) throw error;
      return { at: 'failed', ...failureOf(error) };
    } finally {
      await engine?.release();
    }
  }

  #note(path: ComputePath, state: CheckState): void {
    this.paths = this.paths.map((check) => (check.path === path ? { path, state } : check));
  }

  /** Nothing is running any more. */
  #settle(): void {
    this.paths = this.paths.map((check) =>
      check.state.at === 'running' ? { path: check.path, state: { at: 'waiting' } } : check,
    );
  }
}
