// Audio files on this machine → blocks at 16 kHz, mono: from a path, from bytes in memory, from a
// stream while it arrives. Everything but the reading is in platform/media.

import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AsrError } from '../../errors.ts';
import { openAudio, type AudioFile, type AudioOptions } from '../media/audio-file.ts';
import { ForwardSource, memorySource, type ByteSource } from '../media/byte-source.ts';
import { readsForward } from '../media/open-media.ts';
import { SNIFF_BYTES } from '../media/sniff.ts';

/**
 * Opens an audio file. Fails with `audio-not-found`, `audio-unreadable` (a folder, no permission) and
 * as `openAudio` does.
 */
export async function openAudioFile(path: string, options: AudioOptions = {}): Promise<AudioFile> {
  const source = await fileSource(path);
  return source instanceof ForwardSource ? openForward(source, options) : openAudio(source, options);
}

/** Opens an audio file that is in memory. */
export function openAudioBytes(bytes: Uint8Array, options: AudioOptions = {}): Promise<AudioFile> {
  return openAudio(memorySource(bytes), options);
}

/**
 * Opens an audio file while it arrives. Formats that are read from start to end are decoded as they
 * come in; the others (MP4, WebM), whose index may come last, are first kept in a temporary file,
 * which goes when the audio is closed. `sizeBytes`: how many bytes will come, if that is known.
 */
export function openAudioStream(
  stream: Readable,
  options: AudioOptions & { readonly sizeBytes?: number } = {},
): Promise<AudioFile> {
  return openForward(new ForwardSource(bytesOf(stream), options.sizeBytes), options);
}

async function openForward(source: ForwardSource, options: AudioOptions): Promise<AudioFile> {
  let head: Uint8Array;
  try {
    head = await source.read(0, SNIFF_BYTES);
  } catch (error) {
    await source.close();
    throw error;
  }
  if (options.raw || readsForward(head)) return openAudio(source, options);
  return openAudio(await spooled(source), options);
}

/** What a stream brings; its failure is one of reading. */
async function* bytesOf(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of stream) yield piece as Uint8Array;
  } catch (error) {
    throw new AsrError('audio-unreadable', `the stream broke off (${reasonOf(error)})`, { cause: error });
  }
}

async function fileSource(path: string, onClose?: () => Promise<void>): Promise<FileSource | ForwardSource> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const stat = await file.stat();
    if (stat.isDirectory()) throw new AsrError('audio-unreadable', 'it is a folder');
    // A pipe or a device has no size and no places.
    if (!stat.isFile()) return new ForwardSource(bytesOf(file.createReadStream()));
    return new FileSource(file, stat.size, onClose);
  } catch (error) {
    await file?.close();
    throw unreadable(error);
  }
}

function unreadable(error: unknown): unknown {
  if (error instanceof AsrError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new AsrError('audio-not-found', 'there is no such file');
  if (code === 'EACCES' || code === 'EPERM') {
    return new AsrError('audio-unreadable', 'it may not be read (no permission)', { cause: error });
  }
  return new AsrError('audio-unreadable', `it cannot be read (${reasonOf(error)})`, { cause: error });
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
}

class FileSource implements ByteSource {
  readonly seekable = true;
  readonly sizeBytes: number;
  readonly #file: FileHandle;
  readonly #onClose: (() => Promise<void>) | undefined;
  #closed = false;

  constructor(file: FileHandle, sizeBytes: number, onClose: (() => Promise<void>) | undefined) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.#onClose = onClose;
  }

  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(lengthBytes, this.sizeBytes - offset)));
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const { bytesRead } = await this.#file.read(bytes, filled, bytes.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } catch (error) {
      throw unreadable(error);
    }
    return bytes.subarray(0, filled);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
    await this.#onClose?.();
  }
}

/** All that a source brings, in a temporary file of its own. */
async function spooled(source: ForwardSource): Promise<ByteSource> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'audio');
  try {
    await pipeline(piecesOf(source), createWriteStream(path, { mode: 0o600 }));
    return await fileSource(path, remove);
  } catch (error) {
    await remove();
    throw error instanceof AsrError ? error : noRoom(error);
  } finally {
    await source.close();
  }
}

function noRoom(error: unknown): AsrError {
  return new AsrError('storage-full', `the upload cannot be kept on disk (${reasonOf(error)})`, {
    cause: error,
  });
}

const SPOOL_BYTES = 1 << 20;

async function* piecesOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; ;) {
    const piece = await source.read(at, SPOOL_BYTES);
    if (piece.length === 0) return;
    yield piece;
    at += piece.length;
  }
}
