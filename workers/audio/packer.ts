// Fills sound packets and journal slices on the audio thread and sends them when they are full. Buffers
// come back when they are done with, so that after the first seconds nothing is allocated but the small
// messages themselves, ten times a second.

import {
  type FromMicrophone,
  PACKET_FRAMES,
  PACKET_HOPS,
  PACKET_SAMPLES,
  packetNumbers,
  packetPlaces,
  type SoundPort,
  type ToJournal,
} from '../../src/wire/capture-messages.ts';

/** A packet is sent with this much sound: ten a second. */
const SENT_SAMPLES = 1600;

/** Conditioned sound → packets. */
export class SoundPacker {
  readonly #port: SoundPort;
  readonly #melBins: number;
  readonly #places: { readonly frames: number; readonly hops: number };
  readonly #spare: Float32Array<ArrayBuffer>[] = [];
  #numbers: Float32Array<ArrayBuffer>;
  #startSample = 0;
  #samples = 0;
  #firstFrame = 0;
  #frames = 0;
  #hops = 0;

  constructor(port: SoundPort, melBins: number) {
    this.#port = port;
    this.#melBins = melBins;
    this.#places = packetPlaces(melBins);
    this.#numbers = new Float32Array(packetNumbers(melBins));
    port.onmessage = ({ data }) => void this.#spare.push(data as Float32Array<ArrayBuffer>);
  }

  addSamples(samples: Float32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      if (this.#samples === PACKET_SAMPLES) this.#send();
      this.#numbers[this.#samples++] = samples[i] ?? 0;
    }
    if (this.#samples >= SENT_SAMPLES) this.#send();
  }

  /** Frames [count, melBins]. */
  addFrames(logMel: Float32Array, count: number): void {
    for (let frame = 0; frame < count; frame++) {
      if (this.#frames === PACKET_FRAMES) this.#send();
      const to = this.#places.frames + this.#frames++ * this.#melBins;
      for (let band = 0; band < this.#melBins; band++)
        this.#numbers[to + band] = logMel[frame * this.#melBins + band] ?? 0;
    }
  }

  addVerdict(levelDb: number, speech: boolean): void {
    if (this.#hops === PACKET_HOPS) this.#send();
    const to = this.#places.hops + 2 * this.#hops++;
    this.#numbers[to] = levelDb;
    this.#numbers[to + 1] = speech ? 1 : 0;
  }

  /** Sends what there is and says that nothing more comes. */
  end(): void {
    this.#send();
    this.#port.postMessage({ type: 'end', samples: this.#startSample } satisfies FromMicrophone, []);
  }

  #send(): void {
    if (this.#samples + this.#frames + this.#hops === 0) return;
    const packet: FromMicrophone = {
      type: 'sound',
      startSample: this.#startSample,
      sampleCount: this.#samples,
      melBins: this.#melBins,
      firstFrame: this.#firstFrame,
      frameCount: this.#frames,
      hopCount: this.#hops,
      numbers: this.#numbers,
    };
    this.#port.postMessage(packet, [this.#numbers.buffer]);
    this.#startSample += this.#samples;
    this.#firstFrame += this.#frames;
    this.#samples = this.#frames = this.#hops = 0;
    this.#numbers = this.#spare.pop() ?? new Float32Array(packetNumbers(this.#melBins));
  }
}

/** Half a second: what a killed tab loses at most, and a little for the way to the disk. */
const SLICE_SAMPLES = 8000;

/** The recording as it is → slices of 16 bits for the journal. */
export class SlicePacker {
  readonly #port: SoundPort;
  readonly #spare: Int16Array<ArrayBuffer>[] = [];
  #slice = new Int16Array(SLICE_SAMPLES);
  #startSample = 0;
  #filled = 0;

  constructor(port: SoundPort) {
    this.#port = port;
    port.onmessage = ({ data }) => void this.#spare.push(data as Int16Array<ArrayBuffer>);
  }

  add(samples: Float32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const wide = Math.round((samples[i] ?? 0) * 32_768);
      this.#slice[this.#filled++] = wide > 32_767 ? 32_767 : wide < -32_768 ? -32_768 : wide;
      if (this.#filled === SLICE_SAMPLES) this.#send();
    }
  }

  /** Sends what there is, before its time. */
  flush(): void {
    if (this.#filled > 0) this.#send();
  }

  end(): void {
    this.flush();
    this.#port.postMessage({ type: 'end', samples: this.#startSample } satisfies ToJournal, []);
  }

  #send(): void {
    const slice: ToJournal = {
      type: 'slice',
      startSample: this.#startSample,
      count: this.#filled,
      samples: this.#slice,
    };
    this.#port.postMessage(slice, [this.#slice.buffer]);
    this.#startSample += this.#filled;
    this.#filled = 0;
    this.#slice = this.#spare.pop() ?? new Int16Array(SLICE_SAMPLES);
  }
}
