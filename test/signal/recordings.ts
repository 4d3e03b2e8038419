// The real recordings beside the repository. They are not part of it: tests that hear them are
// skipped where they are absent. SOTTO_AUDIO names another place.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SoundFileReader } from '../../src/signal/sound-file.ts';

const FOLDER = process.env.SOTTO_AUDIO ?? resolve(import.meta.dirname, '../../../shared/audio');

export const haveRecordings = existsSync(FOLDER);

export function recordingPath(name: string): string {
  return resolve(FOLDER, name);
}

export interface Sound {
  readonly channels: Float32Array[];
  readonly sampleRate: number;
  readonly truncated: boolean;
}

/** All samples of a sound file, per channel. Pieces of `pieceBytes` at a time. */
export function readSound(bytes: Uint8Array, pieceBytes = 65_536): Sound {
  const channels: number[][] = [];
  const reader = new SoundFileReader((samples, frames) => {
    const count = reader.header!.channels;
    for (let c = 0; c < count; c++) {
      const channel = (channels[c] ??= []);
      for (let i = 0; i < frames; i++) channel.push(samples[i * count + c]!);
    }
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  const { truncated } = reader.finish();
  return {
    channels: channels.map((c) => Float32Array.from(c)),
    sampleRate: reader.header!.sampleRate,
    truncated,
  };
}

/** The first channel of a recording that lies in the folder as WAV or AIFF. */
export function recording(name: string): { samples: Float32Array; sampleRate: number } {
  const { channels, sampleRate } = readSound(readFileSync(recordingPath(name)));
  return { samples: channels[0]!, sampleRate };
}
