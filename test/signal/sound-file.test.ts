import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAsrError } from '../../src/errors.ts';
import { LOUDEST } from '../../src/signal/pcm.ts';
import { SoundFileReader, soundFileKind } from '../../src/signal/sound-file.ts';
import { haveRecordings, readSound, recordingPath } from './recordings.ts';
import { aiff, chunk, extensible, fmt, int16s, join, riff, u16, u32 } from './sound-bytes.ts';

const SAMPLES = [0, 0.5, -0.25, 0.75, -1, 0.125];

function floats(numbers: number[], bits: 32 | 64, little = true): Uint8Array {
  const view = new DataView(new ArrayBuffer((numbers.length * bits) / 8));
  numbers.forEach((x, i) =>
    bits === 32 ? view.setFloat32(4 * i, x, little) : view.setFloat64(8 * i, x, little),
  );
  return new Uint8Array(view.buffer);
}

function integers(bytes: number, little = true): number[] {
  return SAMPLES.flatMap((x) => {
    const low = u32(Math.round(x * 2 ** (8 * bytes - 1)), true).slice(0, bytes);
    return little ? low : low.reverse();
  });
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isAsrError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

const wavKinds: [string, Uint8Array][] = [
  [
    '8-bit',
    riff([
      fmt({ bits: 8 }),
      chunk(
        'data',
        SAMPLES.map((x) => Math.round(x * 128) + 128),
      ),
    ]),
  ],
  ['16-bit', riff([fmt(), chunk('data', int16s(SAMPLES))])],
  ['24-bit', riff([fmt({ bits: 24 }), chunk('data', integers(3))])],
  ['32-bit', riff([fmt({ bits: 32 }), chunk('data', integers(4))])],
  ['32-bit float', riff([fmt({ tag: 3, bits: 32 }), chunk('data', floats(SAMPLES, 32))])],
  ['64-bit float', riff([fmt({ tag: 3, bits: 64 }), chunk('data', floats(SAMPLES, 64))])],
  [
    'extensible 24-bit',
    riff([fmt({ tag: 0xfffe, bits: 24, extra: extensible(1, 24) }), chunk('data', integers(3))]),
  ],
  [
    'extensible float',
    riff([fmt({ tag: 0xfffe, bits: 32, extra: extensible(3, 32) }), chunk('data', floats(SAMPLES, 32))]),
  ],
  [
    '24 bits at the top of 32',
    riff([
      fmt({ tag: 0xfffe, bits: 32, extra: extensible(1, 24) }),
      chunk(
        'data',
        SAMPLES.flatMap((x) => u32(Math.round(x * 2 ** 23) << 8)),
      ),
    ]),
  ],
  ['12 bits at the top of 16', riff([fmt({ bits: 12, blockBytes: 2 }), chunk('data', int16s(SAMPLES))])],
  ['big-endian (RIFX)', riff([fmt({}, false), chunk('data', int16s(SAMPLES, false), 12, false)], 'RIFX')],
  [
    '64-bit sizes (RF64)',
    riff(
      [
        chunk('ds64', [...u32(0), ...u32(0), ...u32(12), ...u32(0), ...u32(6), ...u32(0), ...u32(0)]),
        fmt(),
      ].concat(chunk('data', int16s(SAMPLES), 0xffffffff)),
      'RF64',
      0xffffffff,
    ),
  ],
  [
    'a format chunk with extra bytes',
    riff([fmt({ extra: [...u16(4), 1, 2, 3, 4] }), chunk('data', int16s(SAMPLES))]),
  ],
  [
    'odd and unknown chunks before the samples',
    riff([
      chunk('LIST', [1, 2, 3]),
      fmt(),
      chunk('fact', u32(6)),
      chunk('junk', [9]),
      chunk('data', int16s(SAMPLES)),
    ]),
  ],
  [
    'trailing junk',
    join(riff([fmt(), chunk('data', int16s(SAMPLES)), chunk('LIST', [1, 2, 3, 4])]), [1, 2, 3]),
  ],
  ['no size, 0xFFFFFFFF', riff([fmt(), chunk('data', int16s(SAMPLES), 0xffffffff)], 'RIFF', 0xffffffff)],
  ['no size, 0', riff([fmt(), chunk('data', int16s(SAMPLES), 0)], 'RIFF', 0)],
  [
    'no size, as sox leaves it',
    riff([fmt(), chunk('data', int16s(SAMPLES), 0x7ffff000)], 'RIFF', 0x7ffff024),
  ],
  ['a wrong byte count per frame', riff([fmt({ blockBytes: 7 }), chunk('data', int16s(SAMPLES))])],
];

const aiffKinds: [string, Uint8Array][] = [
  ['8-bit', aiff({ bits: 8 }, integers(1))],
  ['16-bit', aiff({ bits: 16 }, integers(2, false))],
  ['24-bit', aiff({ bits: 24 }, integers(3, false))],
  ['32-bit', aiff({ bits: 32 }, integers(4, false))],
  ['12-bit, at the top of 16', aiff({ bits: 12 }, integers(2, false))],
  ['AIFF-C uncompressed', aiff({ compression: 'NONE' }, integers(2, false))],
  ['AIFF-C sowt', aiff({ compression: 'sowt' }, integers(2, true))],
  ['AIFF-C fl32', aiff({ bits: 32, compression: 'fl32' }, floats(SAMPLES, 32, false))],
  ['AIFF-C FL64', aiff({ bits: 64, compression: 'FL64' }, floats(SAMPLES, 64, false))],
  ['AIFF-C in24', aiff({ bits: 24, compression: 'in24' }, integers(3, false))],
];

describe('reads', () => {
  test.each(wavKinds)('WAV: %s', (_, bytes) => {
    const { channels, sampleRate, truncated } = readSound(bytes);
    expect([...channels[0]!]).toEqual(SAMPLES);
    expect([sampleRate, truncated]).toEqual([16_000, false]);
  });

  test.each(aiffKinds)('AIFF: %s', (_, bytes) => {
    const { channels, sampleRate, truncated } = readSound(bytes);
    expect([...channels[0]!]).toEqual(SAMPLES);
    expect([sampleRate, truncated]).toEqual([44_100, false]);
  });

  test('24 bits at the bottom of 32, once a low byte shows where they are', () => {
    const words = SAMPLES.map((x) => Math.round(x * 2 ** 23) | 1);
    const data = words.flatMap((word) => u32(word & 0xffffff));
    const { channels } = readSound(
      riff([fmt({ tag: 0xfffe, bits: 32, extra: extensible(1, 24) }), chunk('data', data)]),
    );
    expect([...channels[0]!]).toEqual(words.map((word) => Math.fround(word / 2 ** 23)));
  });

  test('companded telephone sound as G.711 has it', () => {
    // Silence, the loudest positive and the loudest negative value of each law.
    const mu = readSound(riff([fmt({ tag: 7, bits: 8 }), chunk('data', [0xff, 0x80, 0x00])])).channels[0]!;
    const a = readSound(riff([fmt({ tag: 6, bits: 8 }), chunk('data', [0xd5, 0xaa, 0x2a])])).channels[0]!;
    expect([...mu].map((x) => x * 32_768)).toEqual([0, 32_124, -32_124]);
    expect([...a].map((x) => x * 32_768)).toEqual([8, 32_256, -32_256]);
    expect([...readSound(aiff({ compression: 'ulaw' }, [0x80])).channels[0]!]).toEqual([mu[1]]);
  });

  test('an IMA ADPCM block: header sample first, then steps of the table', () => {
    // Step index 0 (step 7): nibble 0 adds 7>>3 = 0, nibble 4 adds 7 and moves the index by 2; then 9>>3 = 8>>3 = 1.
    const block = [...u16(1000), 0, 0, 0x40, 0x00, 0x00, 0x00];
    const { channels } = readSound(riff([fmt({ tag: 0x11, bits: 4, blockBytes: 8 }), chunk('data', block)]));
    expect([...channels[0]!].map((x) => x * 32_768)).toEqual([
      1000, 1000, 1007, 1008, 1009, 1009, 1009, 1009, 1009,
    ]);
  });

  test('the channels of a frame apart, and which loudspeakers they feed', () => {
    const data = int16s([0.1, 0.2, 0.3, -0.1, -0.2, -0.3]);
    const header = fmt({ tag: 0xfffe, channels: 3, extra: extensible(1, 16, 0b1011) });
    const bytes = riff([header, chunk('data', data)]);
    expect(readSound(bytes).channels.map((c) => c.length)).toEqual([2, 2, 2]);
    const reader = new SoundFileReader(() => undefined);
    reader.push(bytes);
    expect(reader.header).toMatchObject({
      channels: 3,
      channelMask: 0b1011,
      frames: 2,
      encoding: 'pcm_s16le',
    });
  });

  test('NaN, infinities and absurd numbers as silence', () => {
    const data = floats([NaN, Infinity, -Infinity, 1e30, 1.5, LOUDEST], 32);
    const { channels } = readSound(riff([fmt({ tag: 3, bits: 32 }), chunk('data', data)]));
    expect([...channels[0]!]).toEqual([0, 0, 0, 0, 1.5, LOUDEST]);
  });
});

describe('says what is wrong', () => {
  const whole = riff([fmt(), chunk('data', int16s(SAMPLES))]);

  test.each<[string, Uint8Array, string]>([
    ['an empty file', join(), 'audio-empty'],
    ['a text file', join('Dear diary, today I whispered.'), 'audio-unsupported'],
    ['four letters of a WAV', join('RIFF'), 'audio-truncated'],
    ['a header cut short', whole.subarray(0, 30), 'audio-truncated'],
    ['a header and none of the samples it promises', whole.subarray(0, 44), 'audio-truncated'],
    ['a header that promises no samples', riff([fmt(), chunk('data', [])]), 'audio-empty'],
    ['no samples but more chunks', riff([fmt(), chunk('data', []), chunk('LIST', [1, 2])]), 'audio-empty'],
    ['no chunk with samples', riff([fmt(), chunk('LIST', [1, 2])]), 'audio-malformed'],
    ['samples before their description', riff([chunk('data', [1, 2]), fmt()]), 'audio-malformed'],
    ['no channels', riff([fmt({ channels: 0, blockBytes: 2 }), chunk('data', [1, 2])]), 'audio-malformed'],
    ['a thousand channels', riff([fmt({ channels: 1000 }), chunk('data', [1, 2])]), 'audio-malformed'],
    ['a rate of 0', riff([fmt({ rate: 0 }), chunk('data', [1, 2])]), 'audio-malformed'],
    ['a format chunk of 1 GB', riff([chunk('fmt ', [1, 2], 1e9)]), 'audio-malformed'],
    ['MP3 inside a WAV', riff([fmt({ tag: 0x55 }), chunk('data', [1, 2])]), 'audio-unsupported'],
    [
      'ADPCM with giant blocks of nothing',
      riff([fmt({ tag: 2, blockBytes: 3 }), chunk('data', [1])]),
      'audio-malformed',
    ],
    ['a compressed AIFF', aiff({ compression: 'ima4' }, [1, 2]), 'audio-unsupported'],
    ['an AIFF with an infinite rate', aiff({ rate: 2 ** 60 }, [1, 2]), 'audio-malformed'],
  ])('%s', (_, bytes, code) => {
    expect(codeOf(() => readSound(bytes))).toBe(code);
  });

  test('a file that ends too early: all its samples first, then the flag', () => {
    const { channels, truncated } = readSound(whole.subarray(0, whole.length - 5));
    expect([...channels[0]!]).toEqual(SAMPLES.slice(0, 3));
    expect(truncated).toBe(true);
  });

  test('nothing about a streamed file that simply ends', () => {
    const streamed = riff([fmt(), chunk('data', int16s(SAMPLES), 0xffffffff)], 'RIFF', 0xffffffff);
    const reader = new SoundFileReader(() => undefined);
    reader.push(streamed);
    expect(reader.header!.frames).toBeUndefined();
    expect(reader.finish()).toEqual({ frames: 6, truncated: false });
  });
});

describe('whatever comes in', () => {
  const anyFile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(...wavKinds, ...aiffKinds).map(([, bytes]) => bytes),
    fc
      .tuple(
        fc.constantFrom(...wavKinds, ...aiffKinds),
        fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }),
      )
      .map(([[, bytes], flips]) => {
        const copy = bytes.slice();
        for (const [at, value] of flips) if (at < copy.length) copy[at] = value;
        return copy;
      }),
    fc
      .record({
        tag: fc.constantFrom(1, 2, 3, 6, 7, 0x11, 0xfffe),
        channels: fc.nat(3),
        bits: fc.nat(70),
        blockBytes: fc.nat(40),
      })
      .chain((fields) =>
        fc
          .uint8Array({ maxLength: 200 })
          .map((data) => riff([fmt(fields), chunk('data', data), chunk('LIST', data)])),
      ),
  );

  test('comes out as sound or as an error with a code; never a crash, never NaN', () => {
    fc.assert(
      fc.property(anyFile, (bytes) => {
        try {
          const { channels } = readSound(bytes);
          expect(channels.every((c) => c.every((x) => Math.abs(x) <= LOUDEST))).toBe(true);
        } catch (error) {
          expect(isAsrError(error) && error.code).toMatch(/^audio-(empty|malformed|unsupported|truncated)$/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('comes out the same in pieces of any size', () => {
    const outcome = (bytes: Uint8Array, pieceBytes: number): unknown => {
      try {
        return readSound(bytes, pieceBytes);
      } catch (error) {
        return (error as Error).message;
      }
    };
    fc.assert(
      fc.property(anyFile, fc.integer({ min: 1, max: 40 }), (bytes, pieceBytes) => {
        expect(outcome(bytes, pieceBytes)).toEqual(outcome(bytes, bytes.length || 1));
      }),
      { numRuns: 1000 },
    );
  });
});

test('knows a sound file by its first bytes', () => {
  expect(soundFileKind(riff([fmt()]))).toBe('wav');
  expect(soundFileKind(aiff({}, []))).toBe('aiff');
  expect(soundFileKind(join('RIFF....AVI '))).toBeUndefined();
  expect(soundFileKind(join('RIF'))).toBeUndefined();
});

describe.skipIf(!haveRecordings)('real files', () => {
  test('that are damaged are refused with a code, or read as far as they go', () => {
    const codes = readdirSync(recordingPath('malformed'))
      .filter((name) => name.endsWith('.wav'))
      .map((name) => codeOf(() => readSound(readFileSync(recordingPath(`malformed/${name}`)))));
    expect(codes.length).toBeGreaterThan(8);
    expect(new Set(codes)).toEqual(
      new Set(['audio-unsupported', 'audio-malformed', 'audio-truncated', 'audio-empty']),
    );
  });

  test('of rare kinds give as many frames as ffmpeg reads', () => {
    const frames = (name: string): number => readSound(readFileSync(recordingPath(name))).channels[0]!.length;
    expect(frames('formats/audiomentations_ms_adpcm.wav')).toBe(895_884);
    expect(frames('formats/hound_nonstandard-01.wav')).toBe(1);
    expect(frames('formats/ms_whatstheweatherlike_mulaw.wav')).toBe(32_480);
    expect(frames('formats/sr_audio-mono-16-bit-44100Hz.aiff')).toBe(121_052);
  });

  test('hold the same speech at 8, 16, 24 and 32 bits', () => {
    const wide = readSound(readFileSync(recordingPath('formats/sr_audio-mono-32-bit-44100Hz.wav')))
      .channels[0]!;
    const far = (name: string): number => {
      const other = readSound(readFileSync(recordingPath(`formats/sr_audio-${name}`))).channels[0]!;
      return other.reduce((most, x, i) => Math.max(most, Math.abs(x - wide[i]!)), 0);
    };
    expect(far('mono-24-bit-44100Hz.wav')).toBeLessThan(2 ** -22);
    expect(far('mono-16-bit-44100Hz.aiff')).toBeLessThan(2 ** -11);
    expect(far('mono-8-bit-44100Hz.wav')).toBeLessThan(2 ** -5);
  });
});
