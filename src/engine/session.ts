// A reading as one file: a WAV that any player plays, whose last chunk says what was heard, how it was read
// and what came of it. `sotto replay` reads it again.

import { joinBytes } from '../bytes.ts';
import { AsrError } from '../errors.ts';
import { SAMPLE_RATE } from '../signal/units.ts';
import { joinText } from '../text/join.ts';
import type { EngineInfo } from './engine.ts';
import type { TranscribeOptions, TranscriptEvent } from './events.ts';

export interface Session {
  /** As recorded: 16 kHz, mono. */
  readonly samples: Float32Array;
  readonly model: EngineInfo;
  readonly options: TranscribeOptions;
  /** Without pictures of features, which follow from the sound. */
  readonly events: readonly TranscriptEvent[];
}

const CHUNK = 'sott';
const FLOAT_TAG = 3;
const FORMAT = 'sotto-session-1';

/** The text of a session's final segments. */
export function textOf(events: readonly TranscriptEvent[]): string {
  return joinText(events.flatMap((event) => (event.type === 'final' ? [event.segment.text] : [])));
}

export function writeSession({ samples, model, options, events }: Session): Uint8Array<ArrayBuffer> {
  const kept = events.filter((event) => event.type !== 'trace' || event.what.kind !== 'mel');
  const story = new TextEncoder().encode(JSON.stringify({ format: FORMAT, model, options, events: kept }));
  const format = new DataView(new ArrayBuffer(16));
  [FLOAT_TAG, 1].forEach((value, i) => format.setUint16(2 * i, value, true));
  [SAMPLE_RATE, 4 * SAMPLE_RATE].forEach((value, i) => format.setUint32(4 + 4 * i, value, true));
  [4, 32].forEach((value, i) => format.setUint16(12 + 2 * i, value, true));
  const sound = new DataView(new ArrayBuffer(4 * samples.length));
  samples.forEach((sample, i) => sound.setFloat32(4 * i, sample, true));
  const frames = new DataView(new ArrayBuffer(4));
  frames.setUint32(0, samples.length, true);
  const chunks = [
    ...chunk('fmt ', bytesOf(format)),
    ...chunk('fact', bytesOf(frames)),
    ...chunk('data', bytesOf(sound)),
    ...chunk(CHUNK, story),
  ];
  return joinBytes(chunk('RIFF', joinBytes([ascii('WAVE'), ...chunks])));
}

/** Fails with `audio-unsupported` for a file that is no session, `audio-malformed` for one that is damaged. */
export function readSession(file: Uint8Array): Session {
  const chunks = chunksOf(file);
  const sound = chunks.get('data');
  const story = chunks.get(CHUNK);
  if (sound === undefined || story === undefined) {
    throw new AsrError('audio-unsupported', 'the file is no session that Sotto has saved');
  }
  const view = new DataView(sound.buffer, sound.byteOffset, sound.byteLength);
  const samples = Float32Array.from({ length: sound.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  return { samples, ...parseStory(story) };
}

function parseStory(bytes: Uint8Array): Omit<Session, 'samples'> {
  let story: unknown;
  try {
    story = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new AsrError('audio-malformed', 'what the session says of itself cannot be read', { cause });
  }
  const { format, model, options, events } = story as Partial<Omit<Session, 'samples'>> & {
    format?: unknown;
  };
  if (format !== FORMAT || model === undefined || options === undefined || !Array.isArray(events)) {
    throw new AsrError('audio-malformed', 'the session was saved by another version of Sotto');
  }
  return { model, options, events: events as TranscriptEvent[] };
}

/** Chunks by name; none where the file is no RIFF. */
function chunksOf(file: Uint8Array): Map<string, Uint8Array> {
  const chunks = new Map<string, Uint8Array>();
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const name = (at: number): string => String.fromCharCode(...file.subarray(at, at + 4));
  if (name(0) !== 'RIFF') return chunks;
  for (let at = 12; at + 8 <= file.length;) {
    const bytes = view.getUint32(at + 4, true);
    if (at + 8 + bytes > file.length) {
      throw new AsrError('audio-malformed', `the file ends inside its "${name(at)}" part`);
    }
    chunks.set(name(at), file.subarray(at + 8, at + 8 + bytes));
    at += 8 + bytes + (bytes % 2);
  }
  return chunks;
}

function chunk(name: string, content: Uint8Array): Uint8Array[] {
  const size = new DataView(new ArrayBuffer(4));
  size.setUint32(0, content.length, true);
  return [ascii(name), bytesOf(size), content, new Uint8Array(content.length % 2)];
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
