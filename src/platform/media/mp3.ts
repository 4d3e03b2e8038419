// MP3 (and MP1, MP2) files: tags and junk skipped, frames found here and decoded by libmpg123.
//
// Feeding whole frames only, rather than raw bytes, lets us start behind a long tag, go on behind
// damage, notice a change of rate or channels in a concatenated file (a fresh decoder for each
// stretch), and say where something was wrong.
//
// libmpg123 takes off the encoder's delay and padding where a LAME tag states them, plus its own
// delay of 529 samples, as ffmpeg does. Without such a tag both leave about 1105 samples (25 ms at
// 44.1 kHz) of lead-in.
//
// The library inlines its WebAssembly as text: a Content-Security-Policy needs 'wasm-unsafe-eval',
// and not 'unsafe-eval'. Only its class without a worker is used: the other starts a blob: worker.

import { MPEGDecoder } from 'mpg123-decoder';
import { AsrError } from '../../errors.ts';
import { ByteCursor, hasText, viewOf, type ByteSource } from './byte-source.ts';
import {
  confirmedFrameAt,
  id3Bytes,
  informationAt,
  mpegFrameAt,
  trailingTagAt,
  type MpegFrame,
  type MpegInformation,
} from './mpeg-frames.ts';
import { noteDamage, type AudioFormat, type Damage, type PcmBlock, type PcmSource } from './pcm.ts';
import { quietly } from './quietly.ts';

/** Bytes decoded at a time: about a second of speech, half a megabyte of samples at most. */
const BATCH_BYTES = 1 << 14;
/** The most that a frame can have (layer II, 384 kbit/s at 32 kHz, padded), twice: this one and the next header. */
const VIEW_BYTES = BATCH_BYTES + 2 * 1729 + 256;
/** Frames that must follow each other before a place behind junk counts as sound again. */
const FRAMES_IN_STEP = 3;

/** Opens an MPEG audio file; `soundAt`: where a tag that was skipped already ends. Fails with `audio-empty` or `audio-malformed` when it holds no frame. */
export async function openMp3(source: ByteSource, soundAt = 0): Promise<PcmSource> {
  const cursor = new ByteCursor(source, soundAt);
  const tagged = (await skipTags(cursor)) || soundAt > 0;
  const frame = await findFrame(cursor);
  if (!frame) throw noFrame(tagged);
  const start = cursor.position;
  const information = informationAt(cursor.bytes, 0, frame);
  const damage: Damage = { places: 0, first: undefined };
  const progress = { doneBytes: start, totalBytes: source.sizeBytes };
  return {
    format: formatOf(frame),
    durationSeconds: durationOf(frame, information, source.sizeBytes, start),
    damage,
    progress: () => progress,
    close: () => undefined,
    blocks: (signal) =>
      decodeFrom(new ByteCursor(source, start, signal), information?.frames, damage, progress),
  };
}

function formatOf(frame: MpegFrame): AudioFormat {
  const codec = `mp${frame.layer}`;
  return { container: codec.toUpperCase(), codec, sampleRate: frame.sampleRate, channels: frame.channels };
}

function noFrame(tagged: boolean): AsrError {
  return tagged
    ? new AsrError('audio-empty', 'the MP3 file holds tags but no sound')
    : new AsrError('audio-malformed', 'the file looks like MP3 but no whole frame of sound is in it');
}

function durationOf(
  frame: MpegFrame,
  information: MpegInformation | undefined,
  sizeBytes: number | undefined,
  start: number,
): number | undefined {
  if (information?.frames !== undefined) {
    const { frames, delaySamples, paddingSamples } = information;
    return Math.max(0, frames * frame.frameSamples - delaySamples - paddingSamples) / frame.sampleRate;
  }
  // No index: as if every frame were as long as the first, which holds for constant bit rates.
  return sizeBytes === undefined ? undefined : ((sizeBytes - start) * 8) / frame.bitrate;
}

/** Skips ID3v2 tags (an embedded cover may be megabytes). */
async function skipTags(cursor: ByteCursor): Promise<boolean> {
  let tagged = false;
  for (;;) {
    await cursor.need(10);
    const tagBytes = id3Bytes(cursor.bytes, 0);
    if (tagBytes === 0) return tagged;
    tagged = true;
    cursor.skip(tagBytes);
  }
}

/** Moves the cursor to the next believable frame, or to the end of the file if there is none. */
async function findFrame(cursor: ByteCursor): Promise<MpegFrame | undefined> {
  const first = (await cursor.need(VIEW_BYTES), confirmedFrameAt(cursor.bytes, 0));
  if (first && first.frameBytes <= cursor.bytes.length) return first;
  for (;;) {
    await cursor.need(VIEW_BYTES);
    const last = cursor.atEnd ? cursor.bytes.length : cursor.bytes.length - VIEW_BYTES + BATCH_BYTES;
    for (let at = cursor.bytes.indexOf(0xff); at >= 0 && at < last; at = cursor.bytes.indexOf(0xff, at + 1)) {
      const frame = confirmedFrameAt(cursor.bytes, at, FRAMES_IN_STEP);
      if (frame && at + frame.frameBytes <= cursor.bytes.length) {
        cursor.skip(at);
        return frame;
      }
    }
    cursor.skip(last);
    if (cursor.atEnd && cursor.bytes.length === 0) return undefined;
  }
}

/** Frames of one stream, back to back. */
interface Batch {
  readonly frame: MpegFrame;
  readonly frames: number;
  readonly batchBytes: number;
}

async function* decodeFrom(
  cursor: ByteCursor,
  statedFrames: number | undefined,
  damage: Damage,
  progress: { doneBytes: number },
): AsyncGenerator<PcmBlock, void, undefined> {
  let decoder: StreamDecoder | undefined;
  let frames = 0;
  try {
    for (;;) {
      const batch = await nextBatch(cursor, decoder?.stream, damage);
      if (!batch) break;
      if (decoder?.stream !== batch.frame.stream) {
        decoder?.close();
        decoder = await StreamDecoder.start(batch.frame);
      }
      const block = decoder.decode(cursor.bytes.subarray(0, batch.batchBytes), cursor.position, damage);
      cursor.skip(batch.batchBytes);
      frames += batch.frames;
      progress.doneBytes = cursor.position;
      if (block) yield block;
    }
  } finally {
    decoder?.close();
  }
  checkLength(frames, statedFrames, cursor.position);
}

/** Writers miscount a little; beyond this many missing frames the file was cut. */
const MISCOUNTED_FRAMES = 10;

function checkLength(frames: number, stated: number | undefined, position: number): void {
  if (stated === undefined || frames + MISCOUNTED_FRAMES >= 0.99 * stated) return;
  throw new AsrError(
    'audio-truncated',
    `the MP3 file ends at byte ${position} with ${frames} of its ${stated} frames`,
  );
}

/** Brings the next run of frames to the start of the cursor's view; undefined at the end of the file. */
async function nextBatch(
  cursor: ByteCursor,
  stream: string | undefined,
  damage: Damage,
): Promise<Batch | undefined> {
  await cursor.need(VIEW_BYTES);
  const bytes = cursor.bytes;
  const frame = mpegFrameAt(bytes, 0);
  const believed =
    frame && (frame.stream === stream || confirmedFrameAt(bytes, 0)) && frame.frameBytes <= bytes.length;
  if (believed) return batchOf(bytes, frame);
  if (bytes.length === 0) return undefined;
  const lostAt = cursor.position;
  const harmless = isTag(bytes) || isPadding(bytes) || (frame !== undefined && cursor.atEnd);
  await skipTags(cursor);
  const next = await findFrame(cursor);
  if (!harmless) noteDamage(damage, lost(lostAt, next ? cursor.position - lostAt : undefined));
  return next && batchOf(cursor.bytes, next);
}

function lost(at: number, skippedBytes: number | undefined): string {
  return skippedBytes === undefined
    ? `byte ${at}: nothing that is MP3 from here on`
    : `byte ${at}: ${skippedBytes} bytes that are no MP3 frame`;
}

function isTag(bytes: Uint8Array): boolean {
  return trailingTagAt(bytes, 0) || hasText(bytes, 0, 'LAME');
}

/** Some writers fill the end of a file, or a gap, with zeros. */
function isPadding(bytes: Uint8Array): boolean {
  return bytes.length < 4 || viewOf(bytes).getUint32(0) === 0;
}

function batchOf(bytes: Uint8Array, frame: MpegFrame): Batch {
  let batchBytes = frame.frameBytes;
  let frames = 1;
  while (batchBytes < BATCH_BYTES) {
    const next = mpegFrameAt(bytes, batchBytes);
    if (next?.stream !== frame.stream || batchBytes + next.frameBytes > bytes.length) break;
    batchBytes += next.frameBytes;
    frames++;
  }
  return { frame, frames, batchBytes };
}

/** A decoder for one run of frames with the same rate and channels. */
class StreamDecoder {
  readonly stream: string;
  readonly #frame: MpegFrame;
  readonly #mpg123: MPEGDecoder;

  private constructor(frame: MpegFrame, mpg123: MPEGDecoder) {
    this.stream = frame.stream;
    this.#frame = frame;
    this.#mpg123 = mpg123;
  }

  static async start(frame: MpegFrame): Promise<StreamDecoder> {
    const mpg123 = new MPEGDecoder();
    await mpg123.ready;
    return new StreamDecoder(frame, mpg123);
  }

  decode(frames: Uint8Array, at: number, damage: Damage): PcmBlock | undefined {
    const { channelData, errors, samplesDecoded } = quietly(() => this.#mpg123.decode(frames));
    for (const error of errors) noteDamage(damage, `near byte ${at}: ${error.message}`);
    if (samplesDecoded === 0) return undefined;
    // mpg123 gives mono as two equal channels.
    return { sampleRate: this.#frame.sampleRate, channels: channelData.slice(0, this.#frame.channels) };
  }

  close(): void {
    this.#mpg123.free();
  }
}
