// The header that an Opus stream starts with (RFC 7845, section 5.1), in Ogg as in other containers.

import { AsrError } from '../../errors.ts';
import { hasText, viewOf } from './byte-source.ts';

/** Opus always decodes to this rate, whatever was put in. */
export const OPUS_RATE = 48_000;

/** The identification header (RFC 7845, section 5.1). */
export interface OpusHead {
  readonly channels: number;
  /** Samples at 48 kHz to drop from the start. */
  readonly preSkip: number;
  /** To be applied to the sound, as a factor. */
  readonly gain: number;
  readonly streams: number;
  readonly coupledStreams: number;
  readonly mapping: readonly number[];
}

/** Reads an OpusHead packet. Fails with `audio-malformed`. */
export function readOpusHead(bytes: Uint8Array): OpusHead {
  if (!hasText(bytes, 0, 'OpusHead') || bytes.length < 19) throw badHead('it is cut off');
  const view = viewOf(bytes);
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  const common = {
    channels,
    preSkip: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
  };
  if (channels === 0 || (family === 0 && channels > 2)) throw badHead(`it states ${channels} channels`);
  if (family === 0)
    return { ...common, streams: 1, coupledStreams: channels - 1, mapping: [0, 1].slice(0, channels) };
  if (bytes.length < 21 + channels) throw badHead('its channel mapping is cut off');
  const streams = view.getUint8(19);
  const coupledStreams = view.getUint8(20);
  const mapping = [...bytes.subarray(21, 21 + channels)];
  const sane = streams > 0 && coupledStreams <= streams && streams + coupledStreams <= 255;
  if (!sane || mapping.some((to) => to !== 255 && to >= streams + coupledStreams)) {
    throw badHead('its channel mapping is impossible');
  }
  return { ...common, streams, coupledStreams, mapping };
}

function badHead(why: string): AsrError {
  return new AsrError('audio-malformed', `the Opus header is damaged: ${why}`);
}
