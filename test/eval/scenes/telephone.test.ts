import { expect, test } from 'vitest';
import { fromMuLaw, intoLine, outOfLine, toMuLaw } from '../../../src/eval/scenes/telephone.ts';
import { decibels, middle, rms, tone } from './measures.ts';

test('µ-law values are those of G.711', () => {
  // Table 2a: the loudest output of each segment on the 14-bit scale, and the two softest.
  const values = {
    0x80: 8031,
    0x90: 3999,
    0xa0: 1983,
    0xb0: 975,
    0xc0: 471,
    0xd0: 219,
    0xe0: 93,
    0xf0: 30,
    0xfe: 2,
  };
  for (const [code, value] of Object.entries(values)) {
    expect(fromMuLaw(Number(code)) * 8192).toBe(value);
    expect(fromMuLaw(Number(code) & 0x7f) * 8192).toBe(-value);
  }
  expect(fromMuLaw(0xff)).toBe(0);
});

test('every code comes back from its value', () => {
  for (let code = 0; code < 256; code++) {
    if (code !== 0x7f) expect(toMuLaw(fromMuLaw(code))).toBe(code); // 0x7f is minus zero
  }
});

test('the error is a constant share of the sample, about 38 dB below it', () => {
  for (const amplitude of [0.9, 0.1, 0.02]) {
    const signal = tone(997, 1).map((x) => amplitude * x);
    const error = signal.map((x) => fromMuLaw(toMuLaw(x)) - x);
    expect(decibels(rms(signal) / rms(error))).toBeGreaterThan(32);
    expect(decibels(rms(signal) / rms(error))).toBeLessThan(41);
  }
});

test('the line lets 300 to 3400 Hz through', () => {
  const through = (hertz: number): number => {
    const signal = tone(hertz, 0.5).map((x) => 0.5 * x);
    return decibels(rms(middle(outOfLine(intoLine(signal), signal.length))) / rms(signal));
  };
  expect(Math.abs(through(1000))).toBeLessThan(0.2);
  expect(through(100)).toBeLessThan(-30);
  expect(through(3900)).toBeLessThan(-15);
  expect(through(5000)).toBeLessThan(-50);
});
