// A clip read again and again while it grows, as live captions do: with the last reading as a draft, and
// from scratch.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import { type Recognizer, readOpen } from '../../src/engine/recognize.ts';
import type { AudioWindow } from '../../src/engine/segmenter.ts';
import { Stopwatch } from '../../src/engine/stopwatch.ts';
import { loadModel, type Model } from '../../src/model/load.ts';
import { openModelDir } from '../../src/platform/node/model-dir.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import { readSound } from '../signal/recordings.ts';

const PUBLIC = resolve(import.meta.dirname, '../../public');

export async function sampleModel(): Promise<Model> {
  const runtime = createNodeRuntime({ provider: 'cpu', threads: 1 });
  return loadModel(await openModelDir(resolve(PUBLIC, 'models/sample')), runtime);
}

export async function clipSamples(clip: string): Promise<Float32Array> {
  return readSound(await readFile(resolve(PUBLIC, `clips/${clip}.wav`))).channels[0]!;
}

export interface Revisions {
  /** Ids of each reading. */
  readonly ids: readonly (readonly number[])[];
  readonly decoderRuns: number;
  readonly milliseconds: number;
}

/** Reads `samples` up to every `stepSeconds`, the last time whole. */
export async function revise(
  model: Model,
  samples: Float32Array,
  { drafts, stepSeconds }: { readonly drafts: boolean; readonly stepSeconds: number },
): Promise<Revisions> {
  const watch = new Stopwatch();
  const to: Recognizer = {
    holder: { model },
    options: { ...DEFAULT_OPTIONS, live: true },
    watch,
    signal: new AbortController().signal,
    nextIndex: 0,
  };
  const readings: (readonly number[])[] = [];
  for (let end = stepSeconds * 16_000; ; end += stepSeconds * 16_000) {
    const heard = samples.subarray(0, Math.min(end, samples.length));
    const window: AudioWindow = {
      open: true,
      startSample: 0,
      samples: heard,
      utterances: [{ startSample: 0, endSample: heard.length }],
    };
    const { ids } = await readOpen(to, window, drafts ? (readings.at(-1) ?? []) : []);
    readings.push(ids);
    if (end >= samples.length) break;
  }
  const { decoderRuns, prefillMs, stepsMs } = watch.read();
  return { ids: readings, decoderRuns, milliseconds: prefillMs + stepsMs };
}
