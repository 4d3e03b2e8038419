// The headers that a Vorbis stream starts with (Vorbis I, section 4.2), in Ogg as in other containers.

import { AsrError } from '../../errors.ts';
import { hasText, viewOf } from './byte-source.ts';

/** The identification header (Vorbis I, section 4.2.2). */
export interface VorbisHead {
  readonly sampleRate: number;
  readonly channels: number;
}

/** Reads a Vorbis identification packet. Fails with `audio-malformed`. */
export function readVorbisHead(bytes: Uint8Array): VorbisHead {
  if (!hasText(bytes, 0, '\x01vorbis') || bytes.length < 30) throw badVorbisHeader('it is cut off');
  const channels = bytes[11] ?? 0;
  const sampleRate = viewOf(bytes).getUint32(12, true);
  if (channels === 0 || sampleRate === 0) throw badVorbisHeader(`${channels} channels at ${sampleRate} Hz`);
  return { sampleRate, channels };
}

/** The three headers that Matroska and MP4 keep in one piece, with Xiph lacing. */
export function splitVorbisHeaders(description: Uint8Array): { head: Uint8Array; setup: Uint8Array } {
  if (description[0] !== 2) throw badVorbisHeader('its three parts are not where they belong');
  let at = 1;
  const lengths = [0, 1].map(() => {
    let length = 0;
    for (let byte = 255; byte === 255; at++) {
      byte = description[at] ?? 0;
      length += byte;
    }
    return length;
  });
  const [headBytes = 0, commentBytes = 0] = lengths;
  return {
    head: description.subarray(at, at + headBytes),
    setup: description.subarray(at + headBytes + commentBytes),
  };
}

/** A Vorbis stream that cannot be set up; says why. */
export function badVorbisHeader(why: string): AsrError {
  return new AsrError('audio-malformed', `the Vorbis header is damaged: ${why}`);
}
