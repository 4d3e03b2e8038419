import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import { AacBits, Huffman } from '../../../src/platform/media/aac/bits.ts';
import { readAacConfig } from '../../../src/platform/media/aac/config.ts';
import { Filterbank, InverseMdct } from '../../../src/platform/media/aac/filterbank.ts';
import {
  LONG_BANDS,
  SCALE_FACTOR_BOOK,
  SHORT_BANDS,
  SPECTRAL_BOOKS,
} from '../../../src/platform/media/aac/tables.ts';
import { memorySource } from '../../../src/platform/media/byte-source.ts';
import { openMedia } from '../../../src/platform/media/open-media.ts';

test('every codebook is complete: its codes fill the code space, each symbol once', () => {
  for (const { counts, symbols } of [SCALE_FACTOR_BOOK, ...SPECTRAL_BOOKS]) {
    expect(counts.reduce((sum, count, length) => sum + count / 2 ** length, 0)).toBe(1);
    expect([...symbols].sort((a, b) => a - b)).toEqual(symbols.map((_, i) => i));
  }
});

test('bands cover a window, and grow wider upward', () => {
  for (const bands of LONG_BANDS) expect(bands.at(-1)).toBe(1024);
  for (const bands of SHORT_BANDS) expect(bands.at(-1)).toBe(128);
});

test('codes of any length are read', () => {
  // 0 · 10 · 110 · … : lengths 1 to 12, and one more of 12.
  const counts = [0, ...Array.from({ length: 11 }, () => 1), 2];
  const huffman = new Huffman({ counts, symbols: counts.map((_, i) => i) });
  const bits = new AacBits(Uint8Array.of(0b01011111, 0b11111011, 0b11111111, 0b11000000));
  expect([1, 2, 3, 4].map(() => huffman.read(bits))).toEqual([0, 1, 10, 12]);
  expect(bits.position).toBe(1 + 2 + 11 + 12);
});

test.each([128, 1024])('the inverse MDCT of %i lines is what its formula says', (lines) => {
  const spectrum = Float64Array.from({ length: lines }, (_, k) => Math.sin(k * k));
  const out = new Float64Array(2 * lines);
  new InverseMdct(lines).transform(spectrum, 0, out);
  for (let n = 0; n < 2 * lines; n += 37) {
    let sum = 0;
    spectrum.forEach((x, k) => (sum += x * Math.cos((Math.PI / lines) * (n + 0.5 + lines / 2) * (k + 0.5))));
    expect(out[n]).toBeCloseTo(sum, 8);
  }
});

/** The rising slope of a window, said once more: sine, or the running sum of a Kaiser window. */
function slope(length: number, shape: number): number[] {
  if (shape === 0) return Array.from({ length }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / 2 / length));
  const bessel = (x: number): number => {
    let [sum, term] = [1, 1];
    for (let k = 1; k < 60; k++) sum += term *= (x / 2 / k) ** 2;
    return sum;
  };
  const alpha = length === 1024 ? 4 : 6;
  const kaiser = Array.from({ length: length + 1 }, (_, n) =>
    bessel(Math.PI * alpha * Math.sqrt(1 - ((2 * n - length) / length) ** 2)),
  );
  const total = kaiser.reduce((a, b) => a + b);
  let sum = 0;
  return kaiser.slice(0, length).map((x) => Math.sqrt((sum += x) / total));
}

/** The lines of a window by the MDCT's formula, scaled as AAC scales them. */
function analyzed(samples: readonly number[], weights: readonly number[]): number[] {
  const lines = samples.length / 2;
  return Array.from({ length: lines }, (_, k) => {
    let sum = 0;
    samples.forEach((x, n) => {
      sum += weights[n]! * x * Math.cos((Math.PI / lines) * (n + 0.5 + lines / 2) * (k + 0.5));
    });
    return 2 * 32_768 * sum;
  });
}

test.each([0, 1])(
  'long and short windows of shape %i overlap to the signal that was taken apart',
  (shape) => {
    const signal = Array.from({ length: 6 * 1024 }, (_, n) => Math.sin(n * n * 0.0005));
    const long = slope(1024, shape);
    const short = slope(128, shape);
    const sides = [
      [long, long],
      [long, [...Array<number>(448).fill(0), ...short, ...Array<number>(448).fill(1)]],
      [],
      [[...Array<number>(448).fill(0), ...short, ...Array<number>(448).fill(1)], long],
    ];
    const bank = new Filterbank();
    [0, 1, 2, 3, 0].forEach((sequence, frame) => {
      const part = signal.slice(frame * 1024, (frame + 2) * 1024);
      const [rise = [], fall = []] = sides[sequence]!;
      const lines =
        sequence === 2
          ? [0, 1, 2, 3, 4, 5, 6, 7].flatMap((w) =>
              analyzed(part.slice(448 + w * 128, 704 + w * 128), [...short, ...[...short].reverse()]),
            )
          : analyzed(part, [...rise, ...[...fall].reverse()]);
      const windows = { sequence, shape, bandCount: 0, bands: [], groups: [1], shapedBands: 0 };
      const joined = bank.join(Float64Array.from(lines), windows);
      // The first frame's first half has nothing to overlap with, nor has its slope of the other shape.
      if (frame > 0) joined.forEach((x, n) => expect(Math.abs(x - part[n]!)).toBeLessThan(1e-6));
    });
  },
);

test('object types that are built otherwise are refused by name', () => {
  // 5 bits object type, 4 bits rate, 4 bits channels
  const config = (objectType: number): Uint8Array => Uint8Array.of((objectType << 3) | 2, 0x10, 0, 0);
  expect(readAacConfig(config(2))).toEqual({ sampleRate: 44_100, rateIndex: 4, channels: 2 });
  expect(() => readAacConfig(config(4))).toThrow('AAC LTP');
  expect(() => readAacConfig(config(23))).toThrow('AAC-LD');
});

describe.skipIf(spawnSync('ffmpeg', ['-version']).status !== 0)("equals ffmpeg's decoder on", () => {
  const clicks = 'aevalsrc=0.7*sin(2*PI*(300+900*t)*t)*lt(mod(t\\,0.15)\\,0.02)+0.02*random(0):s=44100:d=1.5';

  it.each<[string, string[]]>([
    ['stereo with attacks', ['-ac', '2', '-b:a', '96k']],
    ['thin stereo', ['-ac', '2', '-b:a', '24k']],
    ['thick mono', ['-ac', '1', '-b:a', '160k']],
    ['8 kHz', ['-ar', '8000']],
    ['16 kHz', ['-ar', '16000']],
    ['24 kHz', ['-ar', '24000']],
    ['32 kHz', ['-ar', '32000']],
    ['96 kHz', ['-ar', '96000']],
    ['5.1', ['-ac', '6']],
  ])('%s', async (_, settings) => {
    const encode = ['-f', 'lavfi', '-i', clicks, ...settings, '-c:a', 'aac', '-f', 'adts', '-'];
    const adts = execFileSync('ffmpeg', ['-v', 'error', ...encode], { maxBuffer: 2 ** 28 });
    const decode = ['-v', 'error', '-f', 'aac', '-i', '-', '-f', 'f32le', '-'];
    const raw = execFileSync('ffmpeg', decode, { input: adts, maxBuffer: 2 ** 28 });
    const wanted = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
    let at = 0;
    let worst = 0;
    for await (const { channels } of (await openMedia(memorySource(new Uint8Array(adts)))).blocks()) {
      for (let i = 0; i < channels[0]!.length; i++) {
        for (const channel of channels) worst = Math.max(worst, Math.abs(channel[i]! - wanted[at++]!));
      }
    }
    expect(at).toBe(wanted.length);
    expect(worst).toBeLessThan(1e-6);
  });
});
