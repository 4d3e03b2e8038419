// An engine in place, over a loaded model: one job at a time, or several that share the device.

import type { Model } from '../model/load.ts';
import { RowSeats, type Seats, WaveSeats } from '../model/seats.ts';
import { SharedReader } from '../model/shared-reader.ts';
import type { VoiceModel } from '../ports.ts';
import type { Engine, EngineInfo } from './engine.ts';
import type { ModelHolder } from './recognize.ts';
import { transcribe } from './transcribe.ts';

export interface CreateEngineOptions {
  /** Builds the model anew after its device was lost; the job then goes on at the window it was at. */
  readonly reload?: () => Promise<Model>;
  /**
   * Stretches decoded side by side. With 1 (a page, a terminal) jobs wait for each other; with more
   * (a server) they run at once and share every decoder run.
   */
  readonly seats?: number;
  /** Takes a second look at what seems to be speech; the engine's own from now on. */
  readonly voice?: VoiceModel;
}

export function createEngine(model: Model, { reload, seats = 1, voice }: CreateEngineOptions = {}): Engine {
  const holder = holderOf(model, seats, reload);
  const takeTurn = seats > 1 ? async (): Promise<() => void> => () => undefined : singleLane();
  return {
    get info() {
      return infoOf(holder.model);
    },
    async *transcribe(audio, options, signal) {
      const end = await takeTurn();
      try {
        signal.throwIfAborted();
        yield* transcribe({ holder, voice }, audio, options, signal);
      } finally {
        end();
      }
    },
    async release() {
      await takeTurn();
      await holder.model.release();
      await holder.model.runtime.release();
      await voice?.release();
    },
  };
}

/** Hands out turns one after the other; who has had its turn calls what it was given. */
function singleLane(): () => Promise<() => void> {
  let previous: Promise<void> = Promise.resolve();
  return async () => {
    const turn = previous;
    let end = (): void => {};
    previous = new Promise((resolve) => (end = resolve));
    await turn;
    return end;
  };
}

function holderOf(model: Model, seats: number, reload: (() => Promise<Model>) | undefined): ModelHolder {
  const shared = (loaded: Model): Model =>
    seats > 1 ? { ...loaded, reader: sharedReader(loaded, seats) } : loaded;
  let rebuilding: Promise<void> | undefined;
  const holder: ModelHolder = {
    model: shared(model),
    // Several jobs notice a lost device; it is rebuilt once.
    rebuild:
      reload &&
      (() =>
        (rebuilding ??= reload()
          .then((loaded) => void (holder.model = shared(loaded)))
          .finally(() => (rebuilding = undefined)))),
  };
  return holder;
}

function sharedReader(
  { runtime, runs, decoder, encoder, manifest, stopIds }: Model,
  count: number,
): SharedReader {
  const inRows = runtime.provider === 'cpu' && runtime.cache === 'shared';
  const seats: Seats = inRows
    ? new RowSeats(runtime, runs, manifest.cache, count)
    : new WaveSeats(decoder, count);
  return new SharedReader(encoder, seats, stopIds);
}

function infoOf({ manifest, runtime, activation }: Model): EngineInfo {
  return {
    modelName: manifest.name,
    profile: manifest.profile,
    provider: runtime.provider,
    activation,
    device: runtime.description,
  };
}
