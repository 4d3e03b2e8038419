import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Downmix, type DownmixOptions } from '../../src/signal/downmix.ts';
import { BOXED_NUMBER_BYTES, bytesPerCall } from './allocation.ts';
import { haveRecordings, readSound, recordingPath } from './recordings.ts';
import { atLevel, concat, furthest, mix, rmsDb, sine, whiteNoise } from './signals.ts';
import { readFileSync } from 'node:fs';

const RATE = 16_000;

function interleave(channels: readonly Float32Array[]): Float32Array {
  return Float32Array.from(
    { length: channels[0]!.length * channels.length },
    (_, i) => channels[i % channels.length]![Math.floor(i / channels.length)]!,
  );
}

function downmix(
  channels: readonly Float32Array[],
  options: Partial<DownmixOptions> = {},
  blockFrames = 1000,
): Float32Array {
  const count = channels.length;
  const all = interleave(channels);
  const mixer = new Downmix({ sampleRate: RATE, channels: count, ...options });
  const parts: Float32Array[] = [];
  for (let at = 0; at < all.length; at += blockFrames * count) {
    const block = all.subarray(at, at + blockFrames * count);
    const out = new Float32Array(mixer.maxOutputs(block.length / count));
    parts.push(out.subarray(0, mixer.push(block, block.length / count, out)));
  }
  const out = new Float32Array(mixer.maxOutputs(0));
  return concat(...parts, out.subarray(0, mixer.finish(out)));
}

/** Something like a voice: noise that swells and fades, with a hum of its own. */
function voice(seconds: number, seed = 1): Float32Array {
  return whiteNoise(seconds * RATE, 0.3, seed).map((x, i) => x * Math.sin((Math.PI * 3 * i) / RATE) ** 2);
}

const quiet = (x: Float32Array, db: number): Float32Array => x.map((v) => v * 10 ** (db / 20));
const loud = voice(2);
const dead = new Float32Array(loud.length);

describe('two channels', () => {
  test('that are the same give just that', () => {
    expect(furthest(downmix([loud, loud]), loud)).toBeLessThan(1e-7);
  });

  test('of which one is dead give the other at full level', () => {
    expect(furthest(downmix([dead, loud]), loud)).toBeLessThan(1e-7);
    expect(furthest(downmix([loud, dead]), loud)).toBeLessThan(1e-7);
  });

  test('of which one holds only an offset give the other', () => {
    const offset = new Float32Array(loud.length).fill(0.2);
    const found = downmix([loud, offset]);
    expect(rmsDb(found.map((x, i) => x - loud[i]!)) - rmsDb(loud)).toBeLessThan(-60);
  });

  test('of which one is turned over do not cancel', () => {
    const turned = loud.map((x) => -x);
    expect(furthest(downmix([loud, turned]), loud)).toBeLessThan(1e-7);
    expect(rmsDb(downmix([loud, turned], { mode: 'average' }))).toBeLessThan(-100);
  });

  test('of which one is turned over and quieter, under noise, keep the voice', () => {
    const left = mix(loud, whiteNoise(loud.length, 0.003, 3));
    const right = mix(
      quiet(loud, -6).map((x) => -x),
      whiteNoise(loud.length, 0.003, 4),
    );
    expect(rmsDb(downmix([left, right])) - rmsDb(loud)).toBeGreaterThan(-3);
  });

  test('with a speaker each keep both, the second one from the first sample on', () => {
    const [a, b] = [voice(2, 5), voice(2, 6)];
    const found = downmix([concat(a, dead), concat(dead, b)]);
    const half = a.length;
    expect(rmsDb(found, 0, half) - rmsDb(a)).toBeGreaterThan(-1);
    expect(rmsDb(found, half) - rmsDb(b)).toBeGreaterThan(-7);
    expect(rmsDb(found, half, half + 3200) - rmsDb(b, 0, 3200)).toBeGreaterThan(-8);
  });

  test('whose balance changes do so without a click', () => {
    const tone = sine(200, 2 * RATE, 0.5);
    const left = tone.map((x, i) => (i < RATE ? x : 0));
    const right = tone.map((x, i) => (i < RATE ? 0 : x));
    const found = downmix([left, right]);
    let steepest = 0;
    for (let i = 1; i < found.length; i++) steepest = Math.max(steepest, Math.abs(found[i]! - found[i - 1]!));
    expect(steepest).toBeLessThan((0.5 * 2 * Math.PI * 200 * 1.1) / RATE);
  });
});

describe('more channels', () => {
  test('leave the low-frequency one out, where the file says it is or where it usually is', () => {
    const rumble = sine(150, loud.length, 0.9);
    const surround = [dead, dead, loud, rumble, dead, dead];
    expect(furthest(downmix(surround), loud)).toBeLessThan(1e-7);
    const third = [dead, loud, rumble];
    expect(furthest(downmix(third, { channelMask: 0b1011 }), loud)).toBeLessThan(1e-7);
    expect(rmsDb(downmix(third, { channelMask: 0b0111 }))).toBeGreaterThan(-12);
  });

  test('are weighed by loudness', () => {
    const found = downmix([quiet(loud, -40), quiet(voice(2, 9), -40), loud, dead]);
    expect(rmsDb(found.map((x, i) => x - loud[i]!)) - rmsDb(loud)).toBeLessThan(-25);
  });
});

test('one channel, or a plain average, comes at once and exactly', () => {
  expect(furthest(downmix([loud]), loud)).toBe(0);
  const other = voice(2, 8);
  const average = loud.map((x, i) => (x + other[i]!) / 2);
  expect(furthest(downmix([loud, other], { mode: 'average' }), average)).toBe(0);
});

test('the blocks’ sizes do not matter, and every frame gives one sample', () => {
  const channels = [voice(0.3, 11), quiet(voice(0.3, 12), -8), voice(0.3, 13).map((x) => -x)];
  const whole = downmix(channels, {}, channels[0]!.length);
  expect(whole.length).toBe(channels[0]!.length);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 900 }), (blockFrames) => {
      expect(furthest(downmix(channels, {}, blockFrames), whole)).toBe(0);
    }),
    { numRuns: 15 },
  );
});

test('costs no allocation per block', () => {
  const mixer = new Downmix({ sampleRate: 48_000, channels: 2 });
  const block = interleave([whiteNoise(128, 0.1), whiteNoise(128, 0.1, 2)]);
  const out = new Float32Array(mixer.maxOutputs(128));
  expect(bytesPerCall(() => mixer.push(block, 128, out), 3000)).toBeLessThan(BOXED_NUMBER_BYTES);
});

test.skipIf(!haveRecordings)('a recording with a speaker on each side keeps both', () => {
  const { channels } = readSound(readFileSync(recordingPath('en/stereo_two_speakers.wav')));
  const found = downmix(channels);
  const [left, right] = [atLevel(channels[0]!, -20), atLevel(channels[1]!, -20)];
  const share = (side: Float32Array): number =>
    found.reduce((sum, x, i) => sum + x * side[i]!, 0) / found.length / 10 ** ((rmsDb(found) - 20) / 20);
  expect(share(left)).toBeGreaterThan(0.4);
  expect(share(right)).toBeGreaterThan(0.4);
});
