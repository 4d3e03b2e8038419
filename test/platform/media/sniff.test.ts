import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { sniff } from '../../../src/platform/media/sniff.ts';

const SOUNDS = resolve(import.meta.dirname, '../../fixtures/sounds');
const clip = (file: string): Uint8Array => new Uint8Array(readFileSync(resolve(SOUNDS, file)));
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

test.each([
  ['pcm16.wav', 'wav'],
  ['pcm24.aiff', 'aiff'],
  ['stereo.mp3', 'mpeg'],
  ['bare.mp3', 'mpeg'],
  ['layer2.mp2', 'mpeg'],
  ['mono16.flac', 'flac'],
  ['vorbis.ogg', 'ogg'],
  ['flac.oga', 'ogg'],
  ['opus.webm', 'matroska'],
  ['flac.mkv', 'matroska'],
  ['voice-memo.m4a', 'mp4'],
  ['pcm.mov', 'mp4'],
  ['stereo.aac', 'adts'],
])('%s is told by its bytes', (file, kind) => {
  expect(sniff(clip(file))).toEqual({ kind });
});

test.each([
  ['a sentence', ascii('Hello there.'), 'a text file'],
  ['one letter', ascii('a'), 'a text file'],
  ['Chinese', new TextEncoder().encode('明天早上别忘了开会'.repeat(500)), 'a text file'],
  ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x48, 0, 0x69, 0, 0x21, 0), 'a text file'],
  ['a page behind blanks', ascii('\n  <HTML lang="en"><head>'), 'a web page (HTML)'],
  ['an AVI', ascii('RIFF\x10\0\0\0AVI LIST'), 'an AVI video'],
])('%s is named', (_, bytes, name) => {
  expect(sniff(bytes)).toEqual({ kind: 'foreign', name });
});

test('a stream that starts in the middle of a frame is found', () => {
  expect(sniff(clip('bare.mp3').subarray(50))).toEqual({ kind: 'mpeg' });
  expect(sniff(clip('stereo.aac').subarray(33))).toEqual({ kind: 'adts' });
});

test('random bytes are no stream, however many', () => {
  let state = 7;
  const bytes = Uint8Array.from({ length: 65_536 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  });
  for (let start = 0; start < 2000; start += 97) {
    expect(sniff(bytes.subarray(start))).toMatchObject({ kind: 'foreign' });
  }
});
