// START HERE. The main flow: audio in, transcript events out; the same for a file, a microphone and an
// upload. Everything slow or stateful is a guest from below.

import type { Model } from '../model/load.ts';
import { type AudioBlock, SAMPLE_RATE } from '../signal/units.ts';
import type { Engine, EngineInfo } from './engine.ts';
import type { TranscribeOptions, TranscriptEvent } from './events.ts';
import { type ModelHolder, recognize } from './recognize.ts';
import { Stopwatch } from './stopwatch.ts';
import { windowsOf } from './windows.ts';

/** Reads one recording; see `Engine.transcribe` for the promise. */
export async function* transcribe(
  holder: ModelHolder,
  audio: AsyncIterable<AudioBlock>,
  options: TranscribeOptions,
  signal: AbortSignal,
): AsyncGenerator<TranscriptEvent, void> {
  const watch = new Stopwatch();
  const heard = { samples: 0 };
  const to = { holder, options, watch, signal, nextIndex: 0 };
  for await (const window of windowsOf(measured(audio, heard, signal), options)) {
    const startSeconds = window.startSample / SAMPLE_RATE;
    const endSeconds = startSeconds + window.samples.length / SAMPLE_RATE;
    yield { type: 'window', startSeconds, endSeconds, open: window.open };
    yield* recognize(to, window);
    yield { type: 'progress', doneSeconds: endSeconds };
  }
  yield { type: 'end', durationSeconds: heard.samples / SAMPLE_RATE, timings: watch.read() };
}

/**
 * An engine in place, over a loaded model.
 *
 * `reload` builds the model anew after its device was lost; the job then goes on at the window it was at.
 */
export function createEngine(model: Model, reload?: () => Promise<Model>): Engine {
  const holder: ModelHolder = {
    model,
    rebuild:
      reload &&
      (async () => {
        holder.model = await reload();
      }),
  };
  let previous: Promise<void> = Promise.resolve();
  return {
    get info() {
      return infoOf(holder.model);
    },
    async *transcribe(audio, options, signal) {
      const turn = previous;
      let end = (): void => {};
      previous = new Promise((resolve) => (end = resolve));
      try {
        await turn;
        signal.throwIfAborted();
        yield* transcribe(holder, audio, options, signal);
      } finally {
        end();
      }
    },
    async release() {
      await previous;
      await holder.model.release();
      await holder.model.runtime.release();
    },
  };
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

/** Counts the samples that pass, and lets go when the user has changed their mind. */
async function* measured(
  audio: AsyncIterable<AudioBlock>,
  heard: { samples: number },
  signal: AbortSignal,
): AsyncGenerator<AudioBlock, void> {
  for await (const block of audio) {
    signal.throwIfAborted();
    heard.samples = block.startSample + block.samples.length;
    yield block;
  }
}
