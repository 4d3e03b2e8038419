// The messages of worker-messages.ts between a page and a server: JSON in text frames, except blocks of
// audio, which are binary.
//
//   block:  [id: uint32 LE] [startSample: float64 LE] [samples: int16 LE …]
//
// Sixteen bits hold more than a microphone hears, and halve what travels.

import { Fields } from '../fields.ts';
import { AsrError, ERRORS } from '../errors.ts';
import type { Failure, FromWorker, ToWorker } from './worker-messages.ts';

/** What a page asks of a server: a model's name; empty: the server's own choice. */
export interface ServerRequest {
  readonly model: string;
}

export type ToServer = ToWorker<ServerRequest>;

/** Raise when old pages would misunderstand a new server. */
export const SOCKET_PROTOCOL = 1;
export const SOCKET_PATH = 'api/engine';

const HEADER_BYTES = 12;
const FULL_SCALE = 32_767;

export function encodeToServer(message: ToServer): string | ArrayBuffer {
  if (message.type !== 'block') return JSON.stringify(message);
  const bytes = new ArrayBuffer(HEADER_BYTES + 2 * message.samples.length);
  const view = new DataView(bytes);
  view.setUint32(0, message.id, true);
  view.setFloat64(4, message.startSample, true);
  message.samples.forEach((sample, i) => {
    const clipped = Math.max(-1, Math.min(1, sample));
    view.setInt16(HEADER_BYTES + 2 * i, Math.round(clipped * FULL_SCALE), true);
  });
  return bytes;
}

/** Fails with `upload-malformed`. */
export function decodeToServer(frame: string | Uint8Array): ToServer {
  return typeof frame === 'string' ? decodeText(frame) : decodeBlock(frame);
}

function decodeBlock(frame: Uint8Array): ToServer {
  if (frame.byteLength < HEADER_BYTES || frame.byteLength % 2 !== 0) {
    throw new AsrError('upload-malformed', 'a block of audio is cut short');
  }
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const startSample = view.getFloat64(4, true);
  if (!Number.isSafeInteger(startSample) || startSample < 0) {
    throw new AsrError('upload-malformed', 'a block of audio has no place');
  }
  const samples = new Float32Array((frame.byteLength - HEADER_BYTES) / 2);
  for (let i = 0; i < samples.length; i++)
    samples[i] = view.getInt16(HEADER_BYTES + 2 * i, true) / FULL_SCALE;
  return { type: 'block', id: view.getUint32(0, true), startSample, samples };
}

function decodeText(frame: string): ToServer {
  const fields = new Fields(parsed(frame), 'message', 'upload-malformed');
  const type = fields.string('type');
  const id = fields.integer('id', 0);
  switch (type) {
    case 'load':
      return { type, id, request: { model: fields.object('request').string('model', '') } };
    case 'transcribe':
      return { type, id, options: optionsOf(fields.object('options')) };
    case 'finish':
    case 'abort':
    case 'release':
      return { type, id };
    case 'audio-failed': {
      const failure = fields.object('failure');
      const code = failure.string('code');
      const known = code === 'aborted' || code in ERRORS ? (code as Failure['code']) : 'bug';
      return { type, id, failure: { code: known, message: failure.string('message', '') } };
    }
    default:
      throw new AsrError('upload-malformed', 'there is no such message');
  }
}

function optionsOf(fields: Fields): Extract<ToServer, { type: 'transcribe' }>['options'] {
  return {
    exact: fields.boolean('exact', false),
    live: fields.boolean('live', false),
    gain: fields.boolean('gain', true),
    voiceDetection: fields.boolean('voiceDetection', true),
    loopGuard: fields.boolean('loopGuard', true),
    shortPad: fields.boolean('shortPad', false),
    ...(fields.has('instruction') && { instruction: fields.string('instruction') }),
    ...(fields.has('maxNewTokens') && { maxNewTokens: fields.integer('maxNewTokens', 1) }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new AsrError('upload-malformed', 'a message is not JSON', { cause });
  }
}

export function encodeFromServer(message: FromWorker): string {
  return JSON.stringify(message);
}

/** A page trusts the server that its reader chose; a frame that is no message is told as such. */
export function decodeFromServer(frame: string): FromWorker {
  const fields = new Fields(parsed(frame), 'message', 'upload-malformed');
  fields.string('type');
  fields.integer('id', 0);
  return parsed(frame) as FromWorker;
}
