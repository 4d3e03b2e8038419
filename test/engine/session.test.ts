import { describe, expect, test } from 'vitest';
import { DEFAULT_OPTIONS, type TranscriptEvent } from '../../src/engine/events.ts';
import { readSession, type Session, textOf, writeSession } from '../../src/engine/session.ts';
import { openAudio } from '../../src/platform/media/audio-file.ts';

const SEGMENT = { index: 0, startSeconds: 0, endSeconds: 1, tokens: [], meanLogProb: 0, flags: [] };
const SESSION: Session = {
  samples: Float32Array.from({ length: 16_001 }, (_, n) => 0.4 * Math.sin(n / 9)),
  model: { modelName: 'test', profile: 'fp32', provider: 'cpu', activation: 'float32', device: 'CPU' },
  options: { ...DEFAULT_OPTIONS, trace: true },
  events: [
    { type: 'trace', atMs: 3, what: { kind: 'gain', firstHop: 0, gainDb: [0, 6.5] } },
    { type: 'final', segment: { ...SEGMENT, text: '輕聲 softly' } },
  ],
};

test('a session comes back as it was saved, every sample bit for bit', () => {
  const { samples, ...rest } = readSession(writeSession(SESSION));
  expect(samples).toEqual(SESSION.samples);
  expect({ samples: SESSION.samples, ...rest }).toEqual(SESSION);
  expect(textOf(rest.events)).toBe('輕聲 softly');
});

test('pictures of features are left out: they follow from the sound', () => {
  const what = { kind: 'mel', startSeconds: 0, melBins: 2, frames: 2, picture: new Uint8Array(4) } as const;
  const events: TranscriptEvent[] = [{ type: 'trace', atMs: 1, what }, ...SESSION.events];
  expect(readSession(writeSession({ ...SESSION, events })).events).toEqual(SESSION.events);
});

test('a session is a sound file like any other', async () => {
  const bytes = writeSession(SESSION);
  const audio = await openAudio({
    sizeBytes: bytes.length,
    seekable: true,
    read: async (offset, length) => bytes.slice(offset, offset + length),
    close: async () => undefined,
  });
  let heard = 0;
  for await (const { samples } of audio.blocks()) heard += samples.length;
  expect(heard).toBe(SESSION.samples.length);
});

describe('says what is wrong with', () => {
  const bytes = writeSession(SESSION);
  const later = bytes.slice();
  later[Buffer.from(bytes).indexOf('sotto-session-1') + 14] = 0x39;
  test.each([
    ['a file that is no sound', new TextEncoder().encode('hello, this is text'), 'audio-unsupported'],
    ['nothing', new Uint8Array(0), 'audio-unsupported'],
    ['a sound without a story', bytes.subarray(0, bytes.length - 8), 'audio-malformed'],
    ['a story of another version', later, 'audio-malformed'],
  ])('%s', (_, file, code) => {
    expect(() => readSession(file)).toThrowError(expect.objectContaining({ code }));
  });
});
