// What every decoder of audio files promises, Node's and the browser's alike.

import { describe, expect, it } from 'vitest';
import { joinBytes } from '../../src/bytes.ts';
import { ERRORS, isAbort, isAsrError, type AsrErrorCode } from '../../src/errors.ts';
import type { AudioFile, AudioOptions } from '../../src/platform/media/audio-file.ts';
import { SAMPLE_RATE } from '../../src/signal/units.ts';
import { CLIPS, REFUSED_CLIPS, type Clip } from '../fixtures/clips.ts';
import { CLIP_SECONDS, matchTestSound } from '../fixtures/test-sound.ts';
import { concat } from '../signal/signals.ts';

export interface FileDecoder {
  open(bytes: Uint8Array, options?: AudioOptions): Promise<AudioFile>;
}

/** The bytes of a clip of test/fixtures/sounds. */
export type ReadClip = (file: string) => Promise<Uint8Array>;

interface Heard {
  readonly samples: Float32Array;
  /** How it ended, when not well. */
  readonly code: AsrErrorCode | undefined;
  readonly message: string;
}

/** Walks a file to its end. Anything that is not for a person to act on is thrown on. */
export async function hear(decoder: FileDecoder, bytes: Uint8Array, options?: AudioOptions): Promise<Heard> {
  const blocks: Float32Array[] = [];
  let end: { code: AsrErrorCode | undefined; message: string } = { code: undefined, message: '' };
  try {
    const file = await decoder.open(bytes, options);
    let position = 0;
    for await (const { startSample, samples } of file.blocks()) {
      expect(startSample, 'blocks follow each other').toBe(position);
      position += samples.length;
      blocks.push(samples);
    }
  } catch (error) {
    if (!isAsrError(error)) throw error;
    end = { code: error.code, message: error.message };
  }
  return { samples: concat(...blocks), ...end };
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** An ID3v2 tag with `size` bytes in it, as an embedded cover makes. */
function id3(size: number): Uint8Array {
  const sizeBytes = [21, 14, 7, 0].map((shift) => (size >> shift) & 0x7f);
  const cover = Uint8Array.from({ length: size }, (_, i) => (i % 97 === 0 ? 0xff : (i * 31) & 0xff));
  return joinBytes([ascii('ID3'), Uint8Array.of(4, 0, 0, ...sizeBytes), cover]);
}

export function describeFileDecoder(decoder: FileDecoder, clip: ReadClip): void {
  describe('formats', () => describeFormats(decoder, clip));
  describe('what is no sound', () => describeRefusals(decoder, clip));
  describe('damage', () => describeDamage(decoder, clip));
  describe('pasted files', () => describePasted(decoder, clip));
  describe('walking', () => describeWalking(decoder, clip));
}

function describeFormats(decoder: FileDecoder, clip: ReadClip): void {
  it.each(CLIPS)('reads $file', async (wanted: Clip) => {
    const bytes = await clip(wanted.file);
    const { samples, code, message } = await hear(decoder, bytes);
    expect(message).toBe('');
    expect(code).toBeUndefined();
    const leadSamples = Math.round((wanted.leadMs ?? 0) * 16);
    const { likeness, lag } = matchTestSound(samples.subarray(leadSamples));
    expect(Math.abs(lag)).toBeLessThanOrEqual(2);
    expect(likeness).toBeGreaterThan(wanted.likeness);
    const extra = samples.length - leadSamples - CLIP_SECONDS * SAMPLE_RATE;
    expect(extra).toBeGreaterThanOrEqual(-2 - (wanted.lossMs ?? 0) * 16);
    expect(extra).toBeLessThanOrEqual((wanted.paddingMs ?? 0) * 16 + 2);
  });

  it.each(CLIPS)('says what $file is and about how long', async (wanted: Clip) => {
    const file = await decoder.open(await clip(wanted.file));
    const { container, codec, sampleRate, channels } = file.format;
    expect({ container, codec, sampleRate, channels }).toEqual({
      container: wanted.container,
      codec: wanted.codec,
      sampleRate: wanted.sampleRate,
      channels: wanted.channels,
    });
    if (file.durationSeconds !== undefined) {
      expect(Math.abs(file.durationSeconds - CLIP_SECONDS)).toBeLessThan(0.2);
    }
    await file.close();
  });

  it('reads raw samples as described', async () => {
    const samples = Int16Array.from({ length: 16_000 }, (_, i) => 8000 * Math.sin(i / 10));
    const raw = { encoding: 's16le', sampleRate: 16_000, channels: 1 } as const;
    const heard = await hear(decoder, new Uint8Array(samples.buffer), { raw });
    expect(heard.samples).toEqual(Float32Array.from(samples, (sample) => sample / 32_768));
  });

  it('averages channels when asked, as references do', async () => {
    const bytes = await clip('stereo24.flac');
    const weighted = (await hear(decoder, bytes)).samples;
    const average = (await hear(decoder, bytes, { downmix: 'average' })).samples;
    const level = (samples: Float32Array): number => Math.hypot(...samples.subarray(4000, 12_000));
    // The right channel has 0.7 of the left one: (1 + 0.7)/2, against (1 + 0.7²)/(1 + 0.7).
    expect(level(average) / level(weighted)).toBeCloseTo(0.85 / (1.49 / 1.7), 2);
  });
}

function describeRefusals(decoder: FileDecoder, clip: ReadClip): void {
  const zip = joinBytes([ascii('PK\x03\x04'), new Uint8Array(500).fill(7)]);
  const jpeg = joinBytes([Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), new Uint8Array(500).fill(9)]);
  it.each<[string, Uint8Array, AsrErrorCode, RegExp]>([
    ['no bytes at all', new Uint8Array(0), 'audio-empty', /empty/],
    ['a text', ascii('Dear diary,\ntoday I said nothing.\n'), 'audio-unsupported', /text/],
    ['a web page', ascii('<!DOCTYPE html>\n<html><body>404</body></html>'), 'audio-unsupported', /web page/],
    ['a PDF', ascii('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj'), 'audio-unsupported', /PDF/],
    ['a ZIP archive', zip, 'audio-unsupported', /ZIP/],
    ['a picture', jpeg, 'audio-unsupported', /JPEG/],
    ['zero bytes', new Uint8Array(100_000), 'audio-unsupported', /zero/],
    [
      'raw samples',
      Uint8Array.from({ length: 9000 }, (_, i) => (i * i * 7) >> 3),
      'audio-unsupported',
      /raw/,
    ],
    ['a tag alone', id3(300), 'audio-empty', /no sound/],
  ])('refuses %s and says so', async (_, bytes, code, message) => {
    const heard = await hear(decoder, bytes);
    expect(heard).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(ERRORS[code].advice).not.toBe('');
  });

  it.each(REFUSED_CLIPS)('refuses $file in words', async ({ file }) => {
    const { code, message, samples } = await hear(decoder, await clip(file));
    expect(samples).toHaveLength(0);
    const wanted = /^(silent|protected)?/.exec(file)?.[0] ?? '';
    expect(code).toBe({ silent: 'audio-empty', protected: 'audio-protected' }[wanted] ?? 'audio-unsupported');
    expect(message).toMatch(
      /Apple Lossless|Windows Media|Dolby|AVI|Core Audio|video without sound|encrypted/,
    );
  });

  it('knows sound that was bought under lock and key', async () => {
    const bytes = (await clip('voice-memo.m4a')).slice();
    const at = Array.from(bytes.keys()).filter(
      (i) => String.fromCharCode(...bytes.subarray(i, i + 4)) === 'mp4a',
    );
    bytes.set(ascii('drms'), at.at(-1));
    expect(await hear(decoder, bytes)).toMatchObject({ code: 'audio-protected' });
  });

  it('says that an MP4 file was cut before its index', async () => {
    const bytes = await clip('voice-memo.m4a');
    expect(await hear(decoder, bytes.subarray(0, 3000))).toMatchObject({ code: 'audio-truncated' });
  });
}

/** Numbers that look random and are the same every time. */
function dice(seed: number): (sides: number) => number {
  return (sides) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((seed / 0x80000000) * sides);
  };
}

const DAMAGED: readonly AsrErrorCode[] = [
  'audio-truncated',
  'audio-malformed',
  'audio-empty',
  'audio-unsupported',
  'audio-protected',
];

function describeDamage(decoder: FileDecoder, clip: ReadClip): void {
  it.each(CLIPS)(
    'gives what is there of $file when its second half is missing',
    async ({ file, container }) => {
      const bytes = await clip(file);
      const { samples, code } = await hear(decoder, bytes.subarray(0, Math.ceil(bytes.length * 0.55)));
      if (code !== undefined) expect(DAMAGED).toContain(code);
      // Files that state their length are known to be cut.
      if (['WAV', 'AIFF', 'FLAC', 'Ogg'].includes(container)) expect(code).toBe('audio-truncated');
      // Ogg counts by pages (of up to a second), MP4 needs its index.
      if (['WAV', 'AIFF', 'FLAC', 'MP3', 'MP2'].includes(container)) {
        expect(samples.length).toBeGreaterThan(0.25 * SAMPLE_RATE);
      }
      expect(samples.every(Number.isFinite)).toBe(true);
    },
  );

  it.each(CLIPS)('survives any cut and any wrong bytes in $file', async ({ file }) => {
    const bytes = await clip(file);
    const roll = dice(file.length);
    for (let round = 0; round < 6; round++) {
      const damaged = bytes.slice(0, round % 3 === 0 ? 1 + roll(bytes.length) : bytes.length);
      for (let n = 1 + roll(30); n > 0; n--) damaged[roll(damaged.length)] = roll(256);
      const { samples, code } = await hear(decoder, damaged);
      if (code !== undefined) expect(DAMAGED).toContain(code);
      expect(samples.every((sample) => Math.abs(sample) < 1e6)).toBe(true);
      expect(samples.length).toBeLessThan(40 * SAMPLE_RATE);
    }
  });

  it.each(['vbr.mp3', 'mono16.flac', 'vorbis.ogg'])('goes on behind a damaged place in %s', async (name) => {
    const bytes = await clip(name);
    const three = joinBytes([bytes, bytes, bytes]);
    const middle = Math.round(bytes.length * 1.5);
    three.fill(0x55, middle, middle + 200);
    const file = await decoder.open(three);
    let samples = 0;
    for await (const block of file.blocks()) samples += block.samples.length;
    expect(samples).toBeGreaterThan(1.9 * SAMPLE_RATE);
    expect(file.damage.places).toBeGreaterThan(0);
    expect(file.damage.first).toMatch(/byte|page/);
  });
}

function describePasted(decoder: FileDecoder, clip: ReadClip): void {
  it('reads behind a tag with a large cover', async () => {
    const { samples } = await hear(decoder, joinBytes([id3(700_000), id3(40), await clip('vbr.mp3')]));
    expect(matchTestSound(samples).likeness).toBeGreaterThan(0.99);
  });

  it('reads behind junk and before trailing tags', async () => {
    const junk = Uint8Array.from({ length: 1500 }, (_, i) => (i * 89) & 0x7f);
    const tag = joinBytes([ascii('TAG'), new Uint8Array(125)]);
    const heard = await hear(decoder, joinBytes([junk, await clip('vbr.mp3'), tag]));
    expect(heard.code).toBeUndefined();
    expect(matchTestSound(heard.samples).likeness).toBeGreaterThan(0.99);
  });

  it('reads MP3 files pasted together, also of another rate and number of channels', async () => {
    const parts = await Promise.all(['stereo.mp3', 'vbr.mp3', 'bare.mp3'].map(clip));
    const { samples, code } = await hear(decoder, joinBytes(parts));
    expect(code).toBeUndefined();
    // An information frame in the middle counts as a frame of silence, and so does each delay.
    const first = matchTestSound(samples.subarray(0, SAMPLE_RATE));
    expect(first.likeness).toBeGreaterThan(0.98);
    expect(samples.length).toBeGreaterThan(3 * SAMPLE_RATE);
    expect(samples.length).toBeLessThan(3.6 * SAMPLE_RATE);
  });

  it('reads chained Ogg files, also of another codec', async () => {
    const parts = await Promise.all(['vorbis.ogg', 'opus.opus', 'flac.oga'].map(clip));
    const { samples, code } = await hear(decoder, joinBytes(parts));
    expect(code).toBeUndefined();
    expect(Math.abs(samples.length - 3 * SAMPLE_RATE)).toBeLessThan(10);
    for (const link of [0, 1, 2]) {
      const heard = samples.subarray(link * SAMPLE_RATE, (link + 1) * SAMPLE_RATE);
      expect(matchTestSound(heard).likeness).toBeGreaterThan(0.97);
    }
  });
}

function describeWalking(decoder: FileDecoder, clip: ReadClip): void {
  /** A long file: the same frames over and over. */
  async function minutes(name: string, count: number): Promise<Uint8Array> {
    const bytes = await clip(name);
    return joinBytes(Array.from({ length: count * 60 }, () => bytes));
  }

  it.each(['bare.mp3', 'opus.opus'])('decodes %s only as far as it is asked', async (name) => {
    const bytes = await minutes(name, 5);
    const file = await decoder.open(bytes);
    const walk = file.blocks();
    await walk.next();
    await walk.next();
    const { doneBytes, totalBytes } = file.progress();
    expect(totalBytes).toBe(bytes.length);
    expect(doneBytes).toBeGreaterThan(0);
    expect(doneBytes).toBeLessThan(bytes.length / 4);
    await walk.return();
  });

  it.each(['bare.mp3', 'mono16.flac', 'vorbis.ogg', 'voice-memo.m4a', 'pcm16.wav'])(
    'stops when told to in the middle of %s',
    async (name) => {
      const stop = new AbortController();
      const file = await decoder.open(await clip(name));
      const walk = (async () => {
        stop.abort();
        for await (const block of file.blocks(stop.signal)) expect(block.samples.length).toBeGreaterThan(0);
      })();
      await expect(walk).rejects.toSatisfy(isAbort);
    },
  );

  it('reports progress up to the end', async () => {
    const bytes = await clip('vorbis.ogg');
    const file = await decoder.open(bytes);
    for await (const block of file.blocks()) expect(block.samples.length).toBeGreaterThan(0);
    expect(file.progress().doneBytes).toBe(bytes.length);
  });

  it('keeps files that are read at the same time apart', async () => {
    const names = ['stereo.mp3', 'opus.opus', 'vorbis.ogg', 'voice-memo.m4a', 'stereo.mp3'];
    const alone: Float32Array[] = [];
    for (const name of names) alone.push((await hear(decoder, await clip(name))).samples);
    const together = await Promise.all(names.map(async (name) => hear(decoder, await clip(name))));
    together.forEach(({ samples }, i) => expect(samples).toEqual(alone[i]));
  });

  it('can be closed without being read, twice', async () => {
    for (const { file } of CLIPS) {
      const opened = await decoder.open(await clip(file));
      await opened.close();
      await opened.close();
    }
  });
}
