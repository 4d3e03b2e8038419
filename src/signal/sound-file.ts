// Reads sound files that hold their samples plainly (WAV, AIFF) as bytes arrive: pieces of any
// size in, interleaved samples out, memory bounded whatever the header claims.
//
//   const reader = new SoundFileReader((samples, frames) => …);
//   for await (const piece of file) reader.push(piece);
//   const { truncated } = reader.finish();
//
// Both formats are a list of chunks; what the chunks mean is told by a dialect (wav.ts, aiff.ts).
//
// A file that ends too early is not an error while samples came out: they have all been handed
// over by then, `finish` says `truncated`, and the caller keeps the text and tells the person.
// Trailing bytes behind the sound are ignored.

import { AsrError, assert } from '../errors.ts';
import { aiffDialect } from './aiff.ts';
import type { SampleFormat } from './pcm.ts';
import { wavDialect } from './wav.ts';

export interface SoundHeader {
  readonly container: 'wav' | 'aiff';
  /** As ffmpeg spells it: `pcm_s16le`. */
  readonly encoding: string;
  readonly sampleRate: number;
  readonly channels: number;
  /** What the header promises; absent for a file that was written as a stream. */
  readonly frames?: number;
  /** Which loudspeaker each channel feeds (WAVE_FORMAT_EXTENSIBLE), absent where the file does not say. */
  readonly channelMask?: number;
}

export interface SoundEnd {
  readonly frames: number;
  /** True when the header promised more than the file held. */
  readonly truncated: boolean;
}

/** Receives `frames` frames, interleaved. The array is reused: copy what must outlive the call. */
export type FrameSink = (interleaved: Float32Array, frames: number) => void;

/** What a dialect says about a chunk when its head has arrived. */
export type ChunkPlan =
  { readonly do: 'skip' } | { readonly do: 'collect' } | { readonly do: 'sound'; readonly sound: SoundPlan };

/** Where the samples lie and how to read them. */
export interface SoundPlan {
  readonly header: SoundHeader;
  readonly format: SampleFormat;
  /** Bytes between the chunk's head and the first sample. */
  readonly skipBytes: number;
  /** Bytes of sound; Infinity when the writer did not know. */
  readonly bytes: number;
  /** False when `bytes` is a writer's placeholder, so that an early end is the real end. */
  readonly sizeIsTrue: boolean;
  /** The file's own count of frames, where padding must be cut off the end. */
  readonly maxFrames: number;
}

/** One kind of chunked file. */
export interface Dialect {
  readonly littleEndian: boolean;
  /** Called with each chunk's head, in order. */
  plan(id: string, bytes: number): ChunkPlan;
  /** Called with the content of a chunk that was to be collected. */
  collected(id: string, content: DataView): void;
}

const MAGIC_BYTES = 12; // 'RIFF' size 'WAVE' · 'FORM' size 'AIFF'
const CHUNK_HEAD_BYTES = 8;
/** The chunks we read take at most about 1 KiB (ADPCM with 255 coefficient pairs). More is a broken header. */
const MAX_COLLECTED_BYTES = 4096;
/** Samples handed over at once: 64 KiB, small enough for the cache, large enough that calls cost nothing. */
const BLOCK_SAMPLES = 16_384;

/** Ambisonics of the seventh order has 64; more is a broken header. */
const MAX_CHANNELS = 64;
const MIN_RATE = 1_000; //   below this there is no speech left
const MAX_RATE = 768_000; // the fastest converters sold

/** What the first bytes of a file say it is; undefined when neither. Needs 12 bytes. */
export function soundFileKind(bytes: Uint8Array): 'wav' | 'aiff' | undefined {
  if (bytes.length < MAGIC_BYTES) return undefined;
  const magic = fourLetters(bytes, 0);
  const form = fourLetters(bytes, 8);
  if (['RIFF', 'RIFX', 'RF64', 'BW64'].includes(magic) && form === 'WAVE') return 'wav';
  if (magic === 'FORM' && (form === 'AIFF' || form === 'AIFC')) return 'aiff';
  return undefined;
}

type State =
  | { at: 'magic' }
  | { at: 'chunk' }
  | { at: 'collect'; id: string; pad: number }
  | { at: 'skip'; then: 'chunk' | 'sound'; left: number }
  | { at: 'sound'; left: number }
  | { at: 'behind' };

/** Fails with `audio-unsupported`, `audio-malformed`, `audio-truncated` (nothing came out) or `audio-empty`. */
export class SoundFileReader {
  readonly #sink: FrameSink;
  #state: State = { at: 'magic' };
  #dialect: Dialect | undefined;
  #plan: SoundPlan | undefined;
  // What is being gathered: a head, a collected chunk, or a unit of sound split between two pieces.
  #held = new Uint8Array(MAX_COLLECTED_BYTES);
  #heldBytes = 0;
  #wantedBytes = MAGIC_BYTES;
  #block = new Float32Array(0);
  #framesOut = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Present as soon as the header has been read. */
  get header(): SoundHeader | undefined {
    return this.#plan?.header;
  }

  /** Takes the next bytes of the file; calls the sink for each run of frames that is complete. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const state = this.#state;
      if (state.at === 'behind') return;
      if (state.at === 'sound') at += this.#pushSound(state, bytes, at);
      else if (state.at === 'skip') at += this.#skip(state, bytes.length - at);
      else at += this.#gather(state, bytes, at);
    }
  }

  /** Says that the file is over. */
  finish(): SoundEnd {
    const plan = this.#plan;
    if (plan === undefined) throw this.#endedBeforeSound();
    const state = this.#state;
    let missing = state.at === 'skip';
    if (state.at === 'sound') {
      missing = plan.sizeIsTrue && state.left > 0;
      // The last block of ADPCM may be short; of PCM nothing can be made of a part of a frame.
      if (this.#heldBytes > 0) this.#unpack(view(this.#held), 0, this.#heldBytes);
    }
    if (this.#framesOut === 0) {
      throw missing
        ? new AsrError('audio-truncated', 'the file ends before its first sample')
        : new AsrError('audio-empty', 'the file has a header but no samples');
    }
    return { frames: this.#framesOut, truncated: missing };
  }

  #gather(state: State, bytes: Uint8Array, at: number): number {
    const taken = Math.min(this.#wantedBytes - this.#heldBytes, bytes.length - at);
    this.#held.set(bytes.subarray(at, at + taken), this.#heldBytes);
    this.#heldBytes += taken;
    if (this.#heldBytes === this.#wantedBytes) {
      const content = this.#held.subarray(0, this.#heldBytes);
      this.#heldBytes = 0;
      this.#gathered(state, content);
    }
    return taken;
  }

  #gathered(state: State, content: Uint8Array): void {
    if (state.at === 'magic') {
      this.#dialect = dialectOf(content);
      this.#nextChunk();
    } else if (state.at === 'chunk') {
      this.#startChunk(content);
    } else if (state.at === 'collect') {
      assert(this.#dialect !== undefined, 'a chunk belongs to a dialect');
      this.#dialect.collected(state.id, view(content));
      this.#nextChunk(state.pad);
    }
  }

  #nextChunk(skipBytes = 0): void {
    this.#wantedBytes = CHUNK_HEAD_BYTES;
    this.#state = skipBytes > 0 ? { at: 'skip', then: 'chunk', left: skipBytes } : { at: 'chunk' };
  }

  #startChunk(head: Uint8Array): void {
    const dialect = this.#dialect;
    assert(dialect !== undefined, 'chunks come after the magic');
    const id = fourLetters(head, 0);
    const bytes = view(head).getUint32(4, dialect.littleEndian);
    const pad = bytes % 2; // chunks start at even positions
    const plan = dialect.plan(id, bytes);
    if (plan.do === 'sound') {
      this.#startSound(plan.sound);
    } else if (plan.do === 'skip') {
      this.#nextChunk(bytes + pad);
    } else {
      if (bytes > MAX_COLLECTED_BYTES) {
        throw new AsrError('audio-malformed', `its "${id.trim()}" chunk claims ${bytes} bytes`);
      }
      this.#wantedBytes = bytes;
      this.#state = { at: 'collect', id, pad };
      if (bytes === 0) this.#gathered(this.#state, head.subarray(0, 0));
    }
  }

  #startSound(plan: SoundPlan): void {
    checkHeader(plan.header);
    this.#plan = plan;
    const { unitBytes, unitFrames } = plan.format;
    const { channels } = plan.header;
    this.#held = new Uint8Array(unitBytes);
    this.#block = new Float32Array(
      Math.max(Math.floor(BLOCK_SAMPLES / channels / unitFrames), 1) * unitFrames * channels,
    );
    this.#state =
      plan.skipBytes > 0
        ? { at: 'skip', then: 'sound', left: plan.skipBytes }
        : { at: 'sound', left: plan.bytes };
    if (plan.bytes === 0) this.#state = { at: 'behind' };
  }

  #skip(state: Extract<State, { at: 'skip' }>, available: number): number {
    const taken = Math.min(state.left, available);
    state.left -= taken;
    if (state.left === 0) {
      this.#state = state.then === 'chunk' ? { at: 'chunk' } : { at: 'sound', left: this.#plan?.bytes ?? 0 };
    }
    return taken;
  }

  #pushSound(state: Extract<State, { at: 'sound' }>, bytes: Uint8Array, at: number): number {
    const unitBytes = this.#held.length;
    const available = Math.min(bytes.length - at, state.left);
    let taken: number;
    if (this.#heldBytes > 0 || available < unitBytes) {
      taken = Math.min(unitBytes - this.#heldBytes, available);
      this.#held.set(bytes.subarray(at, at + taken), this.#heldBytes);
      this.#heldBytes += taken;
      if (this.#heldBytes === unitBytes) {
        this.#unpack(view(this.#held), 0, unitBytes);
        this.#heldBytes = 0;
      }
    } else {
      taken = available - (available % unitBytes);
      this.#unpack(view(bytes), at, taken);
    }
    state.left -= taken;
    if (state.left === 0) this.#endSound();
    return taken;
  }

  #endSound(): void {
    if (this.#heldBytes > 0) this.#unpack(view(this.#held), 0, this.#heldBytes);
    this.#heldBytes = 0;
    this.#state = { at: 'behind' };
  }

  #unpack(from: DataView, at: number, byteCount: number): void {
    const plan = this.#plan;
    assert(plan !== undefined, 'samples come after the header');
    const { unitBytes, unitFrames } = plan.format;
    const bytesPerBlock = (this.#block.length / plan.header.channels / unitFrames) * unitBytes;
    for (let done = 0; done < byteCount; done += bytesPerBlock) {
      const unpacked = plan.format.unpack(
        from,
        at + done,
        Math.min(bytesPerBlock, byteCount - done),
        this.#block,
      );
      const frames = Math.min(unpacked, plan.maxFrames - this.#framesOut);
      if (frames > 0) this.#sink(this.#block, frames);
      this.#framesOut += frames;
    }
  }

  #endedBeforeSound(): AsrError {
    const { at } = this.#state;
    if (at === 'magic') {
      if (this.#heldBytes === 0) return new AsrError('audio-empty', 'the file has no bytes');
      return couldBecomeMagic(this.#held.subarray(0, this.#heldBytes))
        ? new AsrError('audio-truncated', `the file is only ${this.#heldBytes} bytes long`)
        : notASoundFile();
    }
    if (at === 'chunk' && this.#heldBytes === 0) {
      return new AsrError('audio-malformed', 'the file has no chunk with samples');
    }
    return new AsrError('audio-truncated', 'the file ends inside its header');
  }
}

function dialectOf(magic: Uint8Array): Dialect {
  const kind = soundFileKind(magic);
  if (kind === undefined) throw notASoundFile();
  return kind === 'wav' ? wavDialect(view(magic)) : aiffDialect(fourLetters(magic, 8));
}

function notASoundFile(): AsrError {
  return new AsrError('audio-unsupported', 'the file begins like neither WAV nor AIFF');
}

function couldBecomeMagic(start: Uint8Array): boolean {
  const letters = String.fromCharCode(...start.subarray(0, 4));
  return ['RIFF', 'RIFX', 'RF64', 'BW64', 'FORM'].some((magic) => magic.startsWith(letters));
}

function checkHeader({ sampleRate, channels }: SoundHeader): void {
  if (channels < 1 || channels > MAX_CHANNELS) {
    throw new AsrError('audio-malformed', `its header claims ${channels} channels`);
  }
  if (!(sampleRate >= MIN_RATE && sampleRate <= MAX_RATE)) {
    throw new AsrError('audio-malformed', `its header claims ${sampleRate} samples per second`);
  }
}

/** The four letters at `at`. */
function fourLetters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
