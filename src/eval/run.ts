// Engines × clips: every clip read by every engine, one after the other, so that none slows another down.
// What is already in the result folder is not read again.

import { readFile } from 'node:fs/promises';
import { isAbort, isAsrError } from '../errors.ts';
import { SAMPLE_RATE } from '../signal/units.ts';
import type { Clip } from './clips.ts';
import type { EngineSpec } from './engines/engine-spec.ts';
import type { EvalAudio, EvalEngine } from './engines/eval-engine.ts';
import { PeakMemory } from './peak-memory.ts';
import { readSamples } from './read-audio.ts';
import { type ClipResult, type EngineRun, type ResultFolder, hashOf } from './results.ts';
import { speechLevel } from './scenes/active-level.ts';
import { to16Bit, wavBytes } from './wav-bytes.ts';

/** How engines are opened, and what they are known by: real ones in `open-eval-engine.ts`. */
export interface EngineOpener {
  open(spec: EngineSpec): Promise<EvalEngine>;
  /** Changes when the weights or the program behind the same settings change. */
  engineMark(spec: EngineSpec): Promise<string>;
}

export type RunEvent =
  | { readonly type: 'engine'; readonly name: string; readonly finished: number; readonly total: number }
  | { readonly type: 'clip'; readonly name: string; readonly finished: number; readonly total: number }
  | { readonly type: 'failed'; readonly name: string; readonly clip?: string; readonly why: string };

/** Yields as the work goes on. Aborting ends it with the signal's reason; every finished clip is kept. */
export async function* runEvaluation(
  clips: readonly Clip[],
  specs: readonly EngineSpec[],
  opener: EngineOpener,
  results: ResultFolder,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, void> {
  for (const spec of specs) {
    const mark = await opener.engineMark(spec);
    const engineKey = hashOf(JSON.stringify([spec.kind, Object.entries(spec.settings).sort(), mark]));
    const pending: Pending[] = [];
    for (const clip of clips) {
      const key = hashOf(`${engineKey} ${hashOf(await readFile(clip.path))} ${clip.language}`);
      if (!(await results.finished(spec.name, clip.id, key))) pending.push({ clip, key });
    }
    const finished = clips.length - pending.length;
    yield { type: 'engine', name: spec.name, finished, total: clips.length };
    if (pending.length > 0) yield* runEngine(spec, pending, opener, results, signal, finished);
  }
}

interface Pending {
  readonly clip: Clip;
  readonly key: string;
}

async function* runEngine(
  spec: EngineSpec,
  pending: readonly Pending[],
  opener: EngineOpener,
  results: ResultFolder,
  signal: AbortSignal,
  finishedBefore: number,
): AsyncGenerator<RunEvent, void> {
  const memory = new PeakMemory();
  const total = finishedBefore + pending.length;
  let run: EngineRun = { name: spec.name, spec, endedAt: now() };
  let engine: EvalEngine | undefined;
  try {
    const startMs = performance.now();
    engine = await opener.open(spec);
    run = { ...run, facts: engine.facts, openMs: performance.now() - startMs };
    await warmUp(engine, pending, signal);
    for (const [i, { clip, key }] of pending.entries()) {
      signal.throwIfAborted();
      const result = await readClip(engine, clip, key, signal);
      await results.putClip(spec.name, result);
      if (result.failed !== undefined)
        yield { type: 'failed', name: spec.name, clip: clip.id, why: result.failed };
      yield { type: 'clip', name: spec.name, finished: finishedBefore + i + 1, total };
    }
  } catch (error) {
    if (!isAsrError(error) || isAbort(error)) throw error;
    run = { ...run, failed: error.message };
    yield { type: 'failed', name: spec.name, why: error.message };
  } finally {
    await engine?.close();
    await results.putRun(await withMemory(run, memory, results));
  }
}

/** A resumed run keeps the higher peak of its parts. */
async function withMemory(run: EngineRun, memory: PeakMemory, results: ResultFolder): Promise<EngineRun> {
  const peak = memory.stop();
  const earlier = await results.run(run.name);
  const facts = run.facts ?? earlier?.facts;
  return {
    ...run,
    ...(facts && { facts }),
    endedAt: now(),
    ...(facts?.inThisProcess && {
      peakMemoryBytes: Math.max(peak, earlier?.peakMemoryBytes ?? 0),
      baselineBytes: memory.baselineBytes,
    }),
  };
}

/** The first reading allocates and compiles; it is done once before the clock starts. A failure shows again later. */
async function warmUp(engine: EvalEngine, pending: readonly Pending[], signal: AbortSignal): Promise<void> {
  const first = pending[0];
  if (first === undefined) return;
  await readClip(engine, first.clip, first.key, signal);
}

async function readClip(
  engine: EvalEngine,
  clip: Clip,
  key: string,
  signal: AbortSignal,
): Promise<ClipResult> {
  const samples = await readSamples(clip.path, signal);
  const { activeDbfs } = speechLevel(samples, SAMPLE_RATE);
  const facts = {
    id: clip.id,
    key,
    seconds: samples.length / SAMPLE_RATE,
    ...(Number.isFinite(activeDbfs) && { activeDbfs: Math.round(activeDbfs * 100) / 100 }),
  };
  const startMs = performance.now();
  try {
    const { text, firstTextMs } = await engine.transcribe(audioOf(clip, samples), signal);
    const latencyMs = performance.now() - startMs;
    return { ...facts, text, latencyMs, ...(firstTextMs !== undefined && { firstTextMs }) };
  } catch (error) {
    signal.throwIfAborted();
    if (isAsrError(error) && endsTheRun(error.code)) throw error;
    // Whatever it is, also a bug of the engine: the yardstick reports it and goes on.
    const failed = error instanceof Error ? error.message : String(error);
    return { ...facts, text: '', latencyMs: performance.now() - startMs, failed };
  }
}

/** Failures that the next clip would meet as well. */
function endsTheRun(code: string): boolean {
  return ['source-unreachable', 'device-unavailable', 'device-lost', 'out-of-memory'].includes(code);
}

function audioOf(clip: Clip, samples: Float32Array): EvalAudio {
  return {
    id: clip.id,
    samples,
    language: clip.language,
    wav: () => wavBytes(to16Bit(samples), SAMPLE_RATE),
  };
}

function now(): string {
  return new Date().toISOString();
}
