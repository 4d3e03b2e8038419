import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { memorySource } from '../../../src/platform/media/byte-source.ts';
import { FlacBits, OutOfBits } from '../../../src/platform/media/flac-bits.ts';
import { openFlac } from '../../../src/platform/media/flac.ts';
import { testSound } from '../../fixtures/test-sound.ts';

const SOUNDS = resolve(import.meta.dirname, '../../fixtures/sounds');

async function decoded(bytes: Uint8Array): Promise<number[][]> {
  const channels: number[][] = [];
  for await (const block of (await openFlac(memorySource(bytes))).blocks()) {
    block.channels.forEach((samples, c) => (channels[c] ??= []).push(...samples));
  }
  return channels;
}

test('FLAC gives back the very samples that went in', async () => {
  const [samples] = await decoded(new Uint8Array(readFileSync(resolve(SOUNDS, 'mono16.flac'))));
  expect(samples).toHaveLength(8000);
  samples!.forEach((sample, i) => {
    // One step of dither or rounding by the tool that wrote the file.
    expect(Math.abs(sample - testSound(i / 8000))).toBeLessThan(1.6 / 32_768);
    expect(Number.isInteger(sample * 32_768)).toBe(true);
  });
});

describe.skipIf(spawnSync('ffmpeg', ['-version']).status !== 0)('made by ffmpeg, with', () => {
  const noise = 'anoisesrc=d=0.4:c=pink:r=44100:a=0.6:s=3';
  /** Samples in the file, and the file. */
  function make(settings: readonly string[], source = noise): { flac: Uint8Array; wanted: Float32Array } {
    const run = (...args: string[]): Buffer =>
      execFileSync('ffmpeg', ['-v', 'error', ...args], { maxBuffer: 2 ** 28 });
    const flac = run('-f', 'lavfi', '-i', source, ...settings, '-f', 'flac', '-');
    const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', '-', '-f', 'f32le', '-'], {
      input: flac,
      maxBuffer: 2 ** 28,
    });
    return {
      flac: new Uint8Array(flac),
      wanted: new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length)),
    };
  }

  it.each<[string, string[], string?]>([
    ['fast settings', ['-compression_level', '0']],
    ['orders up to 12', ['-compression_level', '8']],
    [
      'orders up to 32',
      ['-lpc_type', 'cholesky', '-max_prediction_order', '32', '-min_prediction_order', '20'],
    ],
    ['24 bits', ['-sample_fmt', 's32', '-bits_per_raw_sample', '24']],
    ['verbatim frames', ['-lpc_type', 'none', '-compression_level', '0'], 'anoisesrc=d=0.2:a=1:c=white'],
    ['silence', [], 'anullsrc=r=16000:d=0.3'],
    ['an odd rate', ['-ar', '12345']],
    ['eight channels', ['-ac', '8']],
    ['left/side', ['-ch_mode', 'left_side'], `${noise},pan=stereo|c0=c0|c1=0.5*c0`],
    ['side/right', ['-ch_mode', 'right_side'], `${noise},pan=stereo|c0=c0|c1=0.9*c0`],
    ['mid/side', ['-ch_mode', 'mid_side'], `${noise},pan=stereo|c0=c0|c1=0.7*c0`],
    ['tiny frames', ['-frame_size', '16']],
    ['huge frames', ['-frame_size', '65535']],
  ])('%s', async (_, settings, source) => {
    const { flac, wanted } = make(settings, source);
    const channels = await decoded(flac);
    const interleaved = channels[0]!.flatMap((__, i) => channels.map((samples) => samples[i]!));
    expect(interleaved).toEqual([...wanted]);
  });
});

test('bits come in order, signed and unsigned, across bytes', () => {
  const bits = new FlacBits(Uint8Array.of(0b10110011, 0b01010101, 0xff, 0xfe, 0x80, 0, 0, 1), 0);
  expect(bits.unsigned(3)).toBe(0b101);
  expect(bits.signed(3)).toBe(-4);
  expect(bits.unary()).toBe(0);
  expect(bits.unary()).toBe(0);
  expect(bits.unary()).toBe(1);
  bits.alignToByte();
  expect(bits.position).toBe(2);
  expect(bits.signed(16)).toBe(-2);
  expect(bits.unsigned(32)).toBe(2 ** 31 + 1);
  expect(() => bits.unary()).toThrow(OutOfBits);
});
