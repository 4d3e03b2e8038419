// The two ADPCM formats met in WAV files: Microsoft's and IMA's. Four bits a sample; every block
// starts afresh, so a block can be read on its own.
//
// Sources: Microsoft "New Multimedia Data Types and Data Techniques" (1994), sections on
// WAVE_FORMAT_ADPCM and WAVE_FORMAT_IMA_ADPCM; IMA "Recommended Practices for Enhancing Digital
// Audio Compatibility" (1992) for the step table.

import { AsrError } from '../errors.ts';
import type { SampleFormat } from './pcm.ts';

/** No writer uses more; a bigger block is a broken header (and would be a big allocation). */
const MAX_BLOCK_BYTES = 65_535;

// ── Microsoft ──────────────────────────────────────────────────────────────────────────────────

const MS_HEADER_BYTES = 7; // per channel: predictor, step (16 bit), two samples (16 bit)
const MS_ADAPTATION = Int16Array.of(
  ...[230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230],
);
const MS_MIN_STEP = 16;
/** A real step never comes near; a hostile block could otherwise grow it without end. */
const MS_MAX_STEP = 1 << 24;
/** The seven pairs that every file must have, for headers that leave them out. */
const MS_COEFFICIENTS = Int16Array.of(256, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232);

interface MsChannel {
  c1: number;
  c2: number;
  step: number;
  last: number;
  beforeLast: number;
}

/** Microsoft ADPCM. `coefficients` holds pairs in 1/256, as the header gives them (empty: the usual seven). */
export function msAdpcmFormat(channels: number, blockBytes: number, coefficients: Int16Array): SampleFormat {
  checkBlock(channels, blockBytes, MS_HEADER_BYTES);
  const pairs = coefficients.length >= 2 ? coefficients : MS_COEFFICIENTS;
  const states = Array.from({ length: channels }, (): MsChannel => ({
    c1: 0,
    c2: 0,
    step: 0,
    last: 0,
    beforeLast: 0,
  }));
  const headerBytes = MS_HEADER_BYTES * channels;
  const framesIn = (byteCount: number): number => 2 + Math.floor(((byteCount - headerBytes) * 2) / channels);
  return blockFormat(
    'adpcm_ms',
    channels,
    blockBytes,
    headerBytes,
    framesIn,
    (view, at, frames, out, outAt) => {
      for (let c = 0; c < channels; c++) {
        startMsChannel(states[c]!, view, at, c, channels, pairs);
        out[outAt + c] = states[c]!.beforeLast / 32_768;
        out[outAt + channels + c] = states[c]!.last / 32_768;
      }
      const nibbles = (frames - 2) * channels;
      for (let i = 0; i < nibbles; i++) {
        const byte = view.getUint8(at + headerBytes + (i >> 1));
        const nibble = i % 2 === 0 ? byte >> 4 : byte & 0x0f;
        out[outAt + 2 * channels + i] = nextMsSample(states[i % channels]!, nibble) / 32_768;
      }
    },
  );
}

function startMsChannel(
  state: MsChannel,
  view: DataView,
  at: number,
  c: number,
  channels: number,
  pairs: Int16Array,
): void {
  const predictor = view.getUint8(at + c);
  // A predictor beyond the table is damage; 0 (the last sample, unchanged) keeps it inaudible.
  const pair = 2 * predictor + 1 < pairs.length ? 2 * predictor : 0;
  state.c1 = pairs[pair]!;
  state.c2 = pairs[pair + 1]!;
  state.step = view.getInt16(at + channels + 2 * c, true);
  state.last = view.getInt16(at + 3 * channels + 2 * c, true);
  state.beforeLast = view.getInt16(at + 5 * channels + 2 * c, true);
}

function nextMsSample(state: MsChannel, nibble: number): number {
  const difference = nibble >= 8 ? nibble - 16 : nibble;
  // Division truncates toward zero, as in the original description.
  const predicted = Math.trunc((state.last * state.c1 + state.beforeLast * state.c2) / 256);
  const sample = clamp16(predicted + difference * state.step);
  state.beforeLast = state.last;
  state.last = sample;
  const step = (MS_ADAPTATION[nibble]! * state.step) >> 8;
  state.step = Math.min(Math.max(step, MS_MIN_STEP), MS_MAX_STEP);
  return sample;
}

// ── IMA ────────────────────────────────────────────────────────────────────────────────────────

const IMA_HEADER_BYTES = 4; // per channel: sample (16 bit), step index, one unused byte
const IMA_GROUP_BYTES = 4; // channels alternate every four bytes, eight samples
const IMA_INDEX_STEPS = Int8Array.of(-1, -1, -1, -1, 2, 4, 6, 8);
const IMA_STEPS = Int16Array.of(
  ...[7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80],
  ...[88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544],
  ...[598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749],
  ...[3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635],
  ...[13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767],
);

/** IMA (DVI) ADPCM as WAV files lay it out. */
export function imaAdpcmFormat(channels: number, blockBytes: number): SampleFormat {
  checkBlock(channels, blockBytes, IMA_HEADER_BYTES);
  const headerBytes = IMA_HEADER_BYTES * channels;
  const groupBytes = IMA_GROUP_BYTES * channels;
  const framesIn = (byteCount: number): number => 1 + 8 * Math.floor((byteCount - headerBytes) / groupBytes);
  return blockFormat(
    'adpcm_ima_wav',
    channels,
    blockBytes,
    headerBytes,
    framesIn,
    (view, at, frames, out, outAt) => {
      for (let c = 0; c < channels; c++) {
        let sample = view.getInt16(at + IMA_HEADER_BYTES * c, true);
        let index = Math.min(view.getUint8(at + IMA_HEADER_BYTES * c + 2), IMA_STEPS.length - 1);
        out[outAt + c] = sample / 32_768;
        for (let i = 0; i < frames - 1; i++) {
          const group = at + headerBytes + (i >> 3) * groupBytes + IMA_GROUP_BYTES * c;
          const byte = view.getUint8(group + ((i & 7) >> 1));
          const nibble = i % 2 === 0 ? byte & 0x0f : byte >> 4;
          sample = clamp16(sample + imaDifference(nibble, IMA_STEPS[index]!));
          index = Math.min(Math.max(index + IMA_INDEX_STEPS[nibble & 7]!, 0), IMA_STEPS.length - 1);
          out[outAt + (1 + i) * channels + c] = sample / 32_768;
        }
      }
    },
  );
}

/** step·(nibble + ½)/4 in the integer steps of the original, so that rounding agrees. */
function imaDifference(nibble: number, step: number): number {
  let size = step >> 3;
  if (nibble & 4) size += step;
  if (nibble & 2) size += step >> 1;
  if (nibble & 1) size += step >> 2;
  return nibble & 8 ? -size : size;
}

// ── both ───────────────────────────────────────────────────────────────────────────────────────

/** Reads the `frames` frames of the block at `at` into `out` from `outAt` on. */
type UnpackBlock = (view: DataView, at: number, frames: number, out: Float32Array, outAt: number) => void;

function blockFormat(
  name: string,
  channels: number,
  blockBytes: number,
  headerBytes: number,
  framesIn: (byteCount: number) => number,
  unpackBlock: UnpackBlock,
): SampleFormat {
  const unitFrames = framesIn(blockBytes);
  return {
    name,
    unitBytes: blockBytes,
    unitFrames,
    unpack(view, at, byteCount, out) {
      let frames = 0;
      // Only the last block of a file may be shorter than the others.
      for (let done = 0; byteCount - done >= headerBytes; done += blockBytes) {
        const framesHere = framesIn(Math.min(blockBytes, byteCount - done));
        unpackBlock(view, at + done, framesHere, out, frames * channels);
        frames += framesHere;
      }
      return frames;
    },
  };
}

function checkBlock(channels: number, blockBytes: number, headerBytes: number): void {
  if (channels > 2) throw new AsrError('audio-unsupported', `ADPCM with ${channels} channels`);
  if (blockBytes <= headerBytes * channels || blockBytes > MAX_BLOCK_BYTES) {
    throw new AsrError('audio-malformed', `ADPCM blocks of ${blockBytes} bytes`);
  }
}

function clamp16(value: number): number {
  return value < -32_768 ? -32_768 : value > 32_767 ? 32_767 : value;
}
