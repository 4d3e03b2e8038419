// A checkpoint in a folder on disk.

import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteSource, CheckpointFiles } from '../../convert/byte-source.ts';
import { AsrError } from '../../errors.ts';

/** The files of a folder. They stay open until `close`. */
export class CheckpointFolder implements CheckpointFiles {
  readonly #folder: string;
  readonly #handles: FileHandle[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Fails with `checkpoint-not-found` when there is no such folder, with `checkpoint-malformed` for a file that cannot be read. */
  async open(path: string, signal: AbortSignal): Promise<ByteSource | undefined> {
    signal.throwIfAborted();
    const full = join(this.#folder, path);
    try {
      const handle = await open(full, 'r');
      this.#handles.push(handle);
      const stats = await handle.stat();
      if (!stats.isFile()) throw new AsrError('checkpoint-malformed', `${full} is not a file`);
      return {
        name: path,
        bytes: stats.size,
        version: `${stats.size} bytes of ${stats.mtime.toISOString()}`,
        read: (offset, length, readSignal) => readAt(handle, full, offset, length, readSignal),
      };
    } catch (cause) {
      if (cause instanceof AsrError) throw cause;
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw new AsrError('checkpoint-malformed', `${full} cannot be read`, { cause });
      }
      await this.#expectFolder();
      return undefined;
    }
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.splice(0)) await handle.close();
  }

  async #expectFolder(): Promise<void> {
    // A folder that cannot even be looked at is as good as none.
    const found = await stat(this.#folder).catch(() => undefined);
    if (found?.isDirectory() !== true) {
      throw new AsrError('checkpoint-not-found', `${this.#folder} is not a folder`);
    }
  }
}

async function readAt(
  handle: FileHandle,
  name: string,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  // One read may come back short.
  for (let done = 0; done < length;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0)
      throw new AsrError('checkpoint-malformed', `${name} ends before byte ${offset + length}`);
    done += bytesRead;
  }
  return buffer;
}
