// How a reading comes about, for those who want to see it (`TranscribeOptions.trace`): every stage leaves a
// word here, and the main flow hands the words out between its own events. Without it nothing is kept.

import type { ConditionedBlock } from '../signal/front-end.ts';
import { HOP_SAMPLES, SAMPLE_RATE } from '../signal/units.ts';
import type { Trace, TranscriptEvent } from './events.ts';
import type { AudioWindow } from './segmenter.ts';

type TraceEvent = Extract<TranscriptEvent, { type: 'trace' }>;

/** Below this there is nothing to measure a gain by. */
const SILENT_MEAN_SQUARE = 1e-12;
/** Features span this much below their window's maximum (see windowFeatures); a picture has 256 shades of it. */
const FEATURE_SPAN = 2;

export class Tracer {
  readonly #startMs = performance.now();
  #events: TraceEvent[] = [];
  /** Mean squares of what came in, hop by hop, until the gain has given it out. */
  readonly #recorded = new HopPower();
  readonly #given = new HopPower();

  /** What has been left here since the last call. */
  take(): TraceEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  tell(what: Trace): void {
    this.#events.push({ type: 'trace', atMs: performance.now() - this.#startMs, what });
  }

  /** Samples as recorded. */
  hear(samples: Float32Array): void {
    this.#recorded.push(samples);
  }

  /** The same samples, later: after gain, with the verdicts of voice detection. */
  condition({ samples, activity }: ConditionedBlock): void {
    this.#given.push(samples);
    const firstHop = this.#given.taken;
    const gainDb = this.#given.take().map((given) => {
      const [recorded = 0] = this.#recorded.take(1);
      return recorded < SILENT_MEAN_SQUARE ? 0 : tenth(10 * Math.log10(given / recorded));
    });
    if (gainDb.length > 0) this.tell({ kind: 'gain', firstHop, gainDb });
    if (activity.length === 0) return;
    const levelDb = activity.map((hop) => tenth(hop.levelDb));
    this.tell({ kind: 'voice', levelDb, speech: activity.map(({ speech }) => speech) });
  }

  /** A window is shown to the model. */
  show(window: AudioWindow, features: Float32Array, melBins: number): void {
    this.tell({
      kind: 'reading',
      startSeconds: window.startSample / SAMPLE_RATE,
      endSeconds: (window.startSample + window.samples.length) / SAMPLE_RATE,
      open: window.open,
      utterances: window.utterances.map(
        ({ startSample, endSample }) => [startSample / SAMPLE_RATE, endSample / SAMPLE_RATE] as const,
      ),
    });
    const frames = Math.ceil(window.samples.length / HOP_SAMPLES);
    const picture = pictureOf(features, melBins, frames);
    this.tell({ kind: 'mel', startSeconds: window.startSample / SAMPLE_RATE, melBins, frames, picture });
  }
}

/** Mean square of each hop of a sound that comes in blocks. */
class HopPower {
  readonly #powers: number[] = [];
  #sum = 0;
  #count = 0;
  /** Hops taken so far. */
  taken = 0;

  push(samples: Float32Array): void {
    for (const sample of samples) {
      this.#sum += sample * sample;
      if (++this.#count < HOP_SAMPLES) continue;
      this.#powers.push(this.#sum / HOP_SAMPLES);
      this.#sum = this.#count = 0;
    }
  }

  take(count = this.#powers.length): number[] {
    const taken = this.#powers.splice(0, count);
    this.taken += taken.length;
    return taken;
  }
}

/** [melBins, …] finished features → one byte per band and frame, [frames, melBins], 255 the loudest. */
function pictureOf(features: Float32Array, melBins: number, frames: number): Uint8Array {
  const row = features.length / melBins;
  const loudest = features.reduce((most, value) => Math.max(most, value), -Infinity);
  const picture = new Uint8Array(frames * melBins);
  for (let frame = 0; frame < frames; frame++) {
    for (let band = 0; band < melBins; band++) {
      const below = loudest - (features[band * row + frame] ?? -Infinity);
      picture[frame * melBins + band] = Math.round(255 * Math.max(0, 1 - below / FEATURE_SPAN));
    }
  }
  return picture;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
