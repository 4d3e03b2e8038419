import { expect, test } from 'vitest';
import { timestamp, toSrt, toVtt } from '../../src/text/subtitles.ts';

const CUES = [
  { startSeconds: 0, endSeconds: 1.5, text: 'Turn left' },
  { startSeconds: 3661.2345, endSeconds: 3662, text: 'a --> b\n\nsecond line & <more>' },
  { startSeconds: 4000, endSeconds: 4001, text: '   ' },
];

test('writes SubRip: numbered, comma before the milliseconds, no empty lines inside a cue', () => {
  expect(toSrt(CUES)).toBe(
    '1\n00:00:00,000 --> 00:00:01,500\nTurn left\n\n' +
      '2\n01:01:01,235 --> 01:01:02,000\na --> b second line & <more>\n',
  );
});

test('writes WebVTT: header, point before the milliseconds, markup escaped', () => {
  expect(toVtt(CUES)).toBe(
    'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nTurn left\n\n' +
      '01:01:01.235 --> 01:01:02.000\na --&gt; b second line &amp; &lt;more&gt;\n',
  );
});

test('a transcript without text is an empty SubRip file and a bare WebVTT header', () => {
  expect(toSrt([])).toBe('');
  expect(toVtt([])).toBe('WEBVTT\n');
});

test('counts hours beyond two digits and never goes below zero', () => {
  expect(timestamp(360_000.5, '.')).toBe('100:00:00.500');
  expect(timestamp(-1, ',')).toBe('00:00:00,000');
});
