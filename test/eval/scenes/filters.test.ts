import { expect, test } from 'vitest';
import { butterworth, doubleRate, halveRate } from '../../../src/eval/scenes/filters.ts';
import { SAMPLE_RATE } from '../../../src/signal/units.ts';
import { decibels, middle, rms, tone } from './measures.ts';

test.each([
  ['low-pass', 1000],
  ['low-pass', 2000],
  ['high-pass', 1000],
  ['high-pass', 500],
] as const)('a fourth-order %s at 1 kHz passes %i Hz as Butterworth says', (pass, hertz) => {
  const warped = (f: number): number => Math.tan((Math.PI * f) / SAMPLE_RATE); // the bilinear transform
  const away = (warped(hertz) / warped(1000)) ** (pass === 'low-pass' ? 1 : -1);
  const passed = rms(middle(butterworth(tone(hertz, 1), SAMPLE_RATE, pass, 1000, 4)));
  expect(decibels(passed * Math.SQRT2)).toBeCloseTo(-10 * Math.log10(1 + away ** 8), 1);
});

test('half the rate and back keeps what lies below 3.5 kHz and nothing above 4.5 kHz', () => {
  const through = (hertz: number): number => {
    const signal = tone(hertz, 0.5);
    return rms(middle(doubleRate(halveRate(signal), signal.length))) * Math.SQRT2;
  };
  for (const hertz of [100, 1000, 3000, 3500]) expect(Math.abs(decibels(through(hertz)))).toBeLessThan(0.1);
  for (const hertz of [4500, 6000, 7800]) expect(decibels(through(hertz))).toBeLessThan(-50);
});

test('half the rate and back does not delay', () => {
  const signal = tone(440, 0.5);
  const back = doubleRate(halveRate(signal), signal.length);
  for (let i = 2000; i < 6000; i++) expect(back[i]).toBeCloseTo(signal[i]!, 3);
});
