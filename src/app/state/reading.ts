// One recording from its first byte to its last word, into a transcript.

import type { Engine } from '../../engine/engine.ts';
import { DEFAULT_OPTIONS } from '../../engine/events.ts';
import { isAbort } from '../../errors.ts';
import type { AudioBlock } from '../../signal/units.ts';
import { PeakMeter } from '../document/peaks.ts';
import { failureOf } from './failure.ts';
import type { Transcript } from './transcript.svelte.ts';

/** A recording, opened. What decoders of files give. */
export interface OpenSound {
  /** Who decodes it; nothing said: this browser. */
  readonly from?: 'server';
  readonly durationSeconds: number | undefined;
  readonly damage: { readonly places: number };
  progress(): { readonly doneBytes: number; readonly totalBytes: number | undefined };
  blocks(signal?: AbortSignal): AsyncGenerator<AudioBlock, void>;
  close(): Promise<void>;
}

export interface ReadingProgress {
  readonly doneSeconds: number;
  /** How much is done, in 0…1; undefined while the length is unknown. */
  readonly share: number | undefined;
}

/** The waveform grows so often while a recording is read. */
const PEAKS_MILLISECONDS = 400;

/**
 * Reads `sound` into `transcript` and ends the transcript: whole, stopped or failed, with all text that
 * came. Rethrows what ended it early.
 */
export async function readInto(
  transcript: Transcript,
  sound: OpenSound,
  engine: Engine,
  signal: AbortSignal,
  onProgress: (progress: ReadingProgress) => void,
): Promise<void> {
  const meter = new PeakMeter();
  let shownAtMs = 0;
  const showPeaks = (): void => {
    shownAtMs = performance.now();
    transcript.peaks = meter.peaks();
  };
  const measured = async function* (): AsyncGenerator<AudioBlock, void> {
    for await (const block of sound.blocks(signal)) {
      meter.push(block.samples);
      if (performance.now() - shownAtMs > PEAKS_MILLISECONDS) showPeaks();
      yield block;
    }
  };
  transcript.readBy(engine.info.modelName, engine.info.device);
  if (sound.durationSeconds !== undefined) transcript.durationSeconds = sound.durationSeconds;
  let doneSeconds = 0;
  try {
    for await (const event of engine.transcribe(measured(), DEFAULT_OPTIONS, signal)) {
      transcript.apply(event);
      if (event.type !== 'progress') continue;
      doneSeconds = event.doneSeconds;
      onProgress({ doneSeconds, share: shareDone(sound, doneSeconds) });
    }
    showPeaks();
    transcript.damagedPlaces = sound.damage.places;
    await transcript.end({ at: 'whole' });
  } catch (error) {
    showPeaks();
    const stopped = signal.aborted || isAbort(error);
    await transcript.end(
      stopped ? { at: 'stopped', doneSeconds } : { at: 'failed', doneSeconds, code: failureOf(error).code },
    );
    throw error;
  }
}

/** By time where the file says how long it is, else by the bytes that became sound. */
function shareDone(sound: OpenSound, doneSeconds: number): number | undefined {
  if (sound.durationSeconds !== undefined && sound.durationSeconds > 0)
    return Math.min(1, doneSeconds / sound.durationSeconds);
  const { doneBytes, totalBytes } = sound.progress();
  return totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, doneBytes / totalBytes);
}
