import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import {
  confirmedFrameAt,
  id3Bytes,
  informationAt,
  mpegFrameAt,
} from '../../../src/platform/media/mpeg-frames.ts';

const SOUNDS = resolve(import.meta.dirname, '../../fixtures/sounds');
const clip = (file: string): Uint8Array => new Uint8Array(readFileSync(resolve(SOUNDS, file)));

test('a header says rate, channels and length', () => {
  // MPEG-1 layer III, 128 kbit/s, 44.1 kHz, padded, joint stereo: 144 · 128000 / 44100 + 1.
  expect(mpegFrameAt(Uint8Array.of(0xff, 0xfb, 0x92, 0x64), 0)).toMatchObject({
    layer: 3,
    sampleRate: 44_100,
    channels: 2,
    bitrate: 128_000,
    frameBytes: 418,
    frameSamples: 1152,
  });
  // MPEG-2 layer III, 32 kbit/s, 16 kHz, mono.
  expect(mpegFrameAt(Uint8Array.of(0xff, 0xf3, 0x48, 0xc0), 0)).toMatchObject({
    sampleRate: 16_000,
    channels: 1,
    frameBytes: 144,
    frameSamples: 576,
  });
});

test.each([
  ['no sync', [0xff, 0x1b, 0x90, 0x64]],
  ['a reserved version', [0xff, 0xeb, 0x90, 0x64]],
  ['a reserved layer', [0xff, 0xf9, 0x90, 0x64]],
  ['a forbidden bit rate', [0xff, 0xfb, 0xf0, 0x64]],
  ['free format', [0xff, 0xfb, 0x00, 0x64]],
  ['a reserved rate', [0xff, 0xfb, 0x9c, 0x64]],
  ['a cut', [0xff, 0xfb, 0x90]],
])('%s is no header', (_, bytes) => {
  expect(mpegFrameAt(Uint8Array.from(bytes), 0)).toBeUndefined();
});

test('frames of a file follow each other from the first to the last', () => {
  const bytes = clip('bare.mp3');
  let frames = 0;
  let at = 0;
  for (let frame = confirmedFrameAt(bytes, 0); frame; frame = mpegFrameAt(bytes, at)) {
    at += frame.frameBytes;
    frames++;
  }
  expect(at).toBe(bytes.length);
  // One second of frames of 576 samples at 22.05 kHz, and the encoder's lead-in.
  expect(frames).toBeGreaterThanOrEqual(39);
});

test('the information frame is told from frames with sound', () => {
  const bytes = clip('stereo.mp3');
  const at = id3Bytes(bytes, 0);
  const frame = confirmedFrameAt(bytes, at)!;
  const information = informationAt(bytes, at, frame)!;
  expect(information.frames).toBeGreaterThan(38);
  const next = at + frame.frameBytes;
  expect(informationAt(bytes, next, mpegFrameAt(bytes, next)!)).toBeUndefined();
});
