// What a file is, from its first bytes. Names and MIME types are not asked: they lie too often.

import { hasText, viewOf } from './byte-source.ts';
import { confirmedFrameAt, id3Bytes } from './mpeg-frames.ts';

/** The families of formats that a reader exists for. */
export type MediaKind =
  'wav' | 'aiff' | 'mpeg' | 'flac' | 'ogg' | 'sphere' | 'mp4' | 'matroska' | 'adts' | 'mpeg-ts';

export type Sniffed =
  | { readonly kind: MediaKind }
  /** Recognised, or not, but nothing we read. `name` completes "the file is …". */
  | { readonly kind: 'foreign'; readonly name: string };

/** So many first bytes are enough to tell. */
export const SNIFF_BYTES = 1 << 16;

/** Tells what the file that starts with `head` is. Raw PCM has no mark and is "bytes of no known format". */
export function sniff(head: Uint8Array): Sniffed {
  const kind = markedKind(head) ?? foreignKind(head) ?? frameKind(head);
  return kind ?? { kind: 'foreign', name: 'bytes of no known format (raw samples without a header?)' };
}

/** Formats of ours that start with a mark. */
function markedKind(head: Uint8Array): Sniffed | undefined {
  const is = (at: number, text: string): boolean => hasText(head, at, text);
  if (is(0, 'RIFF') || is(0, 'RIFX') || is(0, 'RF64') || is(0, 'BW64')) return riffKind(head);
  if (is(0, 'FORM')) return { kind: 'aiff' };
  if (is(0, 'fLaC')) return { kind: 'flac' };
  if (is(0, 'OggS')) return { kind: 'ogg' };
  if (is(0, 'NIST_1A')) return { kind: 'sphere' };
  if (is(0, '\x1a\x45\xdf\xa3')) return { kind: 'matroska' };
  if (['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip', 'moof', 'styp'].some((box) => is(4, box))) {
    return { kind: 'mp4' };
  }
  // What follows a tag is told by its own first bytes: the opener skips the tag and asks again.
  if (id3Bytes(head, 0) > 0) return { kind: 'mpeg' };
  return isTransportStream(head) ? { kind: 'mpeg-ts' } : undefined;
}

function riffKind(head: Uint8Array): Sniffed {
  if (hasText(head, 8, 'AVI ')) return foreign('an AVI video');
  if (hasText(head, 8, 'WEBP')) return foreign('a WebP image');
  if (hasText(head, 8, 'RMID')) return foreign('a MIDI file');
  return { kind: 'wav' };
}

/** MPEG transport stream: packets of 188 bytes (192 with a time stamp in front), each marked with `G`. */
function isTransportStream(head: Uint8Array): boolean {
  const marked = (start: number, packetBytes: number): boolean =>
    head.length > start + 2 * packetBytes && [0, 1, 2].every((n) => head[start + n * packetBytes] === 0x47);
  return marked(0, 188) || marked(4, 192);
}

const FOREIGN_MARKS: readonly (readonly [at: number, mark: string, name: string])[] = [
  [0, '%PDF', 'a PDF document'],
  [0, 'PK\x03\x04', 'a ZIP archive or an Office document'],
  [0, 'Rar!', 'a RAR archive'],
  [0, '7z\xbc\xaf\x27\x1c', 'a 7-Zip archive'],
  [0, '\x1f\x8b', 'a gzip archive'],
  [0, '\x89PNG', 'a PNG image'],
  [0, '\xff\xd8\xff', 'a JPEG image'],
  [0, 'GIF8', 'a GIF image'],
  [0, '\x7fELF', 'a program'],
  [0, 'SQLite format 3', 'a database'],
  [0, '\x30\x26\xb2\x75\x8e\x66\xcf\x11', 'a Windows Media file (WMA or WMV)'],
  [0, 'riff\x2e\x91\xcf\x11', 'a Sony Wave64 file'],
  [0, 'caff', 'a Core Audio file (CAF)'],
  [0, '.snd', 'a Sun audio file (AU)'],
  [0, '#!AMR', 'an AMR recording'],
  [0, 'FLV\x01', 'a Flash video'],
  [0, 'MThd', 'a MIDI file'],
  [0, 'MAC ', "a Monkey's Audio file"],
  [0, 'wvpk', 'a WavPack file'],
  [0, 'DSD ', 'a DSD recording'],
  [0, 'FRM8', 'a DSD recording'],
  [0, 'MPCK', 'a Musepack file'],
  [0, 'MP+', 'a Musepack file'],
  [0, 'TTA1', 'a True Audio file'],
  [0, '.RMF', 'a RealMedia file'],
  [0, '\x00\x00\x01\xba', 'an MPEG programme stream (VOB or MPG video)'],
  [0, '\x0b\x77', 'Dolby Digital sound (AC-3)'],
];

function foreignKind(head: Uint8Array): Sniffed | undefined {
  const mark = FOREIGN_MARKS.find(([at, text]) => hasText(head, at, text));
  if (mark) return foreign(mark[2]);
  if (head.every((byte) => byte === 0)) return foreign('nothing but zero bytes');
  const text = asText(head);
  if (text === undefined) return undefined;
  return foreign(/^\s*<(!doctype html|html|head|body)/i.test(text) ? 'a web page (HTML)' : 'a text file');
}

/** The bytes as text when they are nothing else, be it UTF-8 or UTF-16 with its mark. */
function asText(head: Uint8Array): string | undefined {
  const sample = head.subarray(0, 4096);
  const mark = sample.length >= 2 ? viewOf(sample).getUint16(0, false) : 0;
  if (mark === 0xfffe || mark === 0xfeff) return printable(sample, mark === 0xfffe ? 'utf-16le' : 'utf-16be');
  return printable(sample, 'utf-8');
}

function printable(bytes: Uint8Array, label: string): string | undefined {
  try {
    // `stream`: a character that the sample cuts in half is no fault.
    const text = new TextDecoder(label, { fatal: true }).decode(bytes, { stream: true });

    return /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(text) ? undefined : text;
  } catch {
    return undefined; // not text: that is the answer
  }
}

/** So many frames in step make a stream when it starts only after some junk. */
const FRAMES_AFTER_JUNK = 4;

/** Streams without a mark: frames in step, at the start or after some junk. */
function frameKind(head: Uint8Array): Sniffed | undefined {
  if (confirmedFrameAt(head, 0)) return { kind: 'mpeg' };
  if (adtsAt(head, 0, 2)) return { kind: 'adts' };
  for (let at = head.indexOf(0xff); at >= 0; at = head.indexOf(0xff, at + 1)) {
    if (inStep(head, at)) return { kind: 'mpeg' };
    if (adtsAt(head, at, FRAMES_AFTER_JUNK)) return { kind: 'adts' };
  }
  return undefined;
}

function inStep(head: Uint8Array, at: number): boolean {
  const frame = confirmedFrameAt(head, at, FRAMES_AFTER_JUNK);
  return frame !== undefined && at + FRAMES_AFTER_JUNK * frame.frameBytes <= head.length;
}

/** True when `frames` AAC frames with ADTS headers (ISO/IEC 13818-7) follow each other from `at` on. */
export function adtsAt(bytes: Uint8Array, at: number, frames: number): boolean {
  for (let n = 0; n < frames; n++) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes.subarray(at, at + 6);
    if (a !== 0xff || (b & 0xf6) !== 0xf0 || ((c >> 2) & 15) > 12) return false;
    const frameBytes = ((d & 3) << 11) | (e << 3) | (f >> 5);
    if (frameBytes < 8) return false;
    at += frameBytes;
  }
  return at <= bytes.length;
}

function foreign(name: string): Sniffed {
  return { kind: 'foreign', name };
}
