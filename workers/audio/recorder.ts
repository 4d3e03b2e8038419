// What happens to sound on the audio thread, apart from the thread itself: the chain of
// signal/front-end.ts, with its results packed and sent. Nothing waits for anybody; no sample is dropped.

import { LIVE_LOOK_AHEAD_HOPS } from '../../src/signal/gain.ts';
import { FrontEnd, type FrontEndOutput } from '../../src/signal/front-end.ts';
import type { FromCapture, SoundPort } from '../../src/wire/capture-messages.ts';
import { SlicePacker, SoundPacker } from './packer.ts';

/** A render quantum; blocks of other sizes are cut. */
const QUANTUM = 128;
/** Enough silence for the words before a pause to be judged and their window to close (engine/segmenter.ts). */
const PAUSE_SECONDS = 1.2;
/** Levels are told ten times a second. */
const LEVELS_PER_SECOND = 10;

export interface RecorderPorts {
  readonly sound: SoundPort;
  readonly journal: SoundPort;
  readonly tell: (message: FromCapture) => void;
}

export interface RecorderOptions {
  readonly sampleRate: number;
  readonly gain: boolean;
  readonly melBins: number;
}

export class Recorder {
  readonly #tell: (message: FromCapture) => void;
  readonly #sampleRate: number;
  readonly #frontEnd: FrontEnd;
  readonly #packets: SoundPacker;
  readonly #slices: SlicePacker;
  readonly #silence = new Float32Array(QUANTUM);
  readonly #mono = new Float32Array(QUANTUM);
  #state: 'listening' | 'paused' | 'stopped' = 'listening';
  #deviceSamples = 0;
  #recordedSamples = 0;
  // Since the last level:
  #heardSamples = 0;
  #peak = 0;
  #speech = false;
  #loudest = 0; // mean square of the loudest quantum

  constructor({ sound, journal, tell }: RecorderPorts, { sampleRate, gain, melBins }: RecorderOptions) {
    this.#tell = tell;
    this.#sampleRate = sampleRate;
    this.#packets = new SoundPacker(sound, melBins);
    this.#slices = new SlicePacker(journal);
    this.#frontEnd = new FrontEnd({
      sampleRate,
      maxBlockSamples: QUANTUM,
      melBins,
      gain: {
        lookAheadHops: LIVE_LOOK_AHEAD_HOPS,
        ...(!gain && { mostGainDb: 0 }),
        onActivity: ({ levelDb, speech }) => {
          this.#speech = speech;
          this.#packets.addVerdict(levelDb, speech);
        },
      },
    });
  }

  /** Takes what the device gave: one array per channel, of which the mean counts. Allocates nothing. */
  hear(channels: readonly Float32Array[]): void {
    const length = channels[0]?.length ?? 0;
    if (this.#state !== 'listening' || length === 0) return;
    this.#deviceSamples += length;
    for (let at = 0; at < length; at += QUANTUM) {
      const count = Math.min(QUANTUM, length - at);
      this.#mixDown(channels, at, count);
      this.#measure(count);
      this.#send(this.#frontEnd.push(this.#mono, count));
    }
    this.#heardSamples += length;
    if (this.#heardSamples * LEVELS_PER_SECOND >= this.#sampleRate) this.#tellLevel();
  }

  pause(): void {
    if (this.#state !== 'listening') return;
    for (let at = 0; at < PAUSE_SECONDS * this.#sampleRate; at += QUANTUM)
      this.#send(this.#frontEnd.push(this.#silence));
    this.#slices.flush();
    this.#state = 'paused';
    this.#tellLevel();
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'listening';
  }

  /** Gives what was held back; after that nothing is heard any more. */
  stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#send(this.#frontEnd.finish());
    this.#packets.end();
    this.#slices.end();
    this.#tell({ type: 'stopped', recordedSamples: this.#recordedSamples });
  }

  #mixDown(channels: readonly Float32Array[], at: number, count: number): void {
    const mono = this.#mono;
    const first = channels[0];
    const second = channels[1];
    // A microphone has one voice; of tab sound with two channels the middle is where people speak.
    for (let i = 0; i < count; i++) {
      const left = first?.[at + i] ?? 0;
      mono[i] = second === undefined ? left : (left + (second[at + i] ?? 0)) / 2;
    }
  }

  #measure(count: number): void {
    let squares = 0;
    for (let i = 0; i < count; i++) {
      const sample = this.#mono[i] ?? 0;
      squares += sample * sample;
      if (sample > this.#peak) this.#peak = sample;
      else if (-sample > this.#peak) this.#peak = -sample;
    }
    this.#loudest = Math.max(this.#loudest, squares / count);
  }

  #send(output: FrontEndOutput): void {
    this.#recordedSamples += output.recordedCount;
    this.#slices.add(output.recorded, output.recordedCount);
    this.#packets.addFrames(output.logMel, output.frameCount);
    this.#packets.addSamples(output.samples, output.sampleCount);
  }

  #tellLevel(): void {
    this.#tell({
      type: 'level',
      levelDb: Math.max(10 * Math.log10(this.#loudest), -120),
      peak: this.#peak,
      gainDb: this.#frontEnd.gainDb,
      speech: this.#speech,
      deviceSamples: this.#deviceSamples,
      recordedSamples: this.#recordedSamples,
    });
    this.#heardSamples = 0;
    this.#peak = 0;
    this.#loudest = 0;
  }
}
