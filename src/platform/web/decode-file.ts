// Audio files that the user gave → blocks at 16 kHz, mono, read piece by piece. Page and worker.
// Everything but the reading is in platform/media.

import { AsrError } from '../../errors.ts';
import { openAudio, type AudioFile, type AudioOptions } from '../media/audio-file.ts';
import type { ByteSource } from '../media/byte-source.ts';
import { openWebCodecsDecoder } from './webcodecs-decoder.ts';

/** Opens an audio file. Fails with `audio-unreadable` (moved or changed since it was given) and as `openAudio` does. */
export function openAudioFile(file: Blob, options: AudioOptions = {}): Promise<AudioFile> {
  return openAudio(blobSource(file), { platformDecoder: openWebCodecsDecoder, ...options });
}

function blobSource(file: Blob): ByteSource {
  return {
    sizeBytes: file.size,
    seekable: true,
    async read(offset, lengthBytes) {
      try {
        return new Uint8Array(await file.slice(offset, offset + lengthBytes).arrayBuffer());
      } catch (cause) {
        throw new AsrError('audio-unreadable', 'the file cannot be read any more', { cause });
      }
    },
    close: () => Promise.resolve(),
  };
}
