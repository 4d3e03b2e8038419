// What clients send, on disk while it is needed: private files under names of ours, each removed for sure.

import busboy from 'busboy';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AsrError, isAsrError } from '../errors.ts';

export interface Upload {
  /** The form field that it came in. */
  readonly field: string;
  readonly path: string;
  /** As the client calls it; never used as a path. */
  readonly name: string;
  readonly bytes: number;
}

export interface Form {
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly uploads: readonly Upload[];
  /** Removes the files. */
  remove(): Promise<void>;
}

const LIMITS = {
  fields: 64,
  fieldSize: 64 * 1024,
  fieldNameSize: 100,
  files: 16,
  parts: 80,
  headerPairs: 50,
};

const FOLDER_PREFIX = 'sotto-server-';

/** A folder of one server process. */
export class UploadFolder {
  readonly dir: string;
  readonly maxBytes: number;

  private constructor(dir: string, maxBytes: number) {
    this.dir = dir;
    this.maxBytes = maxBytes;
  }

  /** Makes the folder, for this user only; removes those that killed servers have left. */
  static async open(maxBytes: number, parent = tmpdir()): Promise<UploadFolder> {
    await removeLeftovers(parent);
    return new UploadFolder(await mkdtemp(join(parent, `${FOLDER_PREFIX}${process.pid}-`)), maxBytes);
  }

  async close(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Files that are there now. */
  async count(): Promise<number> {
    return (await readdir(this.dir)).length;
  }

  /**
   * Takes in a multipart form, whatever the order of its parts, while it arrives. Fails with
   * `upload-malformed`, `upload-too-large`, `storage-full`; then nothing of it stays.
   */
  async receiveForm(request: Request): Promise<Form> {
    const fields = new Map<string, string[]>();
    const uploads: Upload[] = [];
    const paths: string[] = [];
    const remove = async (): Promise<void> => {
      await Promise.all(paths.splice(0).map((path) => rm(path, { force: true })));
    };
    const parser = this.#parser(request);
    const writing: Promise<void>[] = [];
    let failure: Error | undefined;
    const fail = (error: Error): void => {
      failure ??= error;
      // Not at once: busboy may be in the middle of a piece, and does not survive it.
      setImmediate(() => parser.destroy(failure));
    };
    // busboy's types do not say so, but a part without a name has none.
    parser.on('field', (name: string | undefined = '', value, { nameTruncated, valueTruncated }) => {
      if (nameTruncated || valueTruncated) return fail(tooLarge('a field of the form is too long'));
      fields.set(name, [...(fields.get(name) ?? []), value]);
    });
    parser.on('file', (field: string | undefined = '', stream, { filename }) => {
      const path = this.#newPath();
      paths.push(path);
      stream.once('limit', () => fail(this.#tooLarge()));
      const written = this.#write(stream, path).then(
        (bytes) => void uploads.push({ field, path, name: filename ?? '', bytes }),
        (error: Error) => fail(error),
      );
      writing.push(written);
    });
    for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) {
      parser.on(limit, () => fail(tooLarge('the form has too many parts')));
    }
    try {
      await pipeline(bodyOf(request), parser);
      await Promise.all(writing);
      if (failure !== undefined) throw failure;
      return { fields, uploads, remove };
    } catch (error) {
      await Promise.allSettled(writing);
      await remove();
      throw refusalOf(failure ?? error, request);
    }
  }

  /** Takes in a body that is the recording itself. */
  async receiveBody(request: Request): Promise<Form> {
    const path = this.#newPath();
    const remove = (): Promise<void> => rm(path, { force: true });
    try {
      const bytes = await this.#write(bodyOf(request), path);
      return { fields: new Map(), uploads: [{ field: '', path, name: '', bytes }], remove };
    } catch (error) {
      await remove();
      throw refusalOf(error, request);
    }
  }

  /** Takes in a recording that comes in pieces; no upload when there are none. */
  async receivePieces(pieces: AsyncIterable<Buffer>): Promise<Form> {
    const path = this.#newPath();
    const remove = (): Promise<void> => rm(path, { force: true });
    try {
      const bytes = await this.#write(Readable.from(pieces), path);
      return {
        fields: new Map(),
        uploads: bytes === 0 ? [] : [{ field: '', path, name: '', bytes }],
        remove,
      };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  #parser(request: Request): busboy.Busboy {
    try {
      return busboy({
        headers: { 'content-type': request.headers.get('Content-Type') ?? '' },
        limits: { ...LIMITS, fileSize: this.maxBytes },
        defParamCharset: 'utf8',
      });
    } catch (cause) {
      throw new AsrError('upload-malformed', 'the request is no multipart form', { cause });
    }
  }

  async #write(stream: Readable, path: string): Promise<number> {
    let bytes = 0;
    const most = this.maxBytes;
    const tooLarge = (): AsrError => this.#tooLarge();
    await pipeline(
      stream,
      async function* (pieces: AsyncIterable<Buffer>) {
        for await (const piece of pieces) {
          bytes += piece.length;
          if (bytes > most) throw tooLarge();
          yield piece;
        }
      },
      createWriteStream(path, { flags: 'wx', mode: 0o600 }),
    );
    return bytes;
  }

  #newPath(): string {
    return join(this.dir, randomBytes(16).toString('hex'));
  }

  #tooLarge(): AsrError {
    return tooLarge(`this server takes at most ${Math.floor(this.maxBytes / 1e6)} MB`);
  }
}

function bodyOf(request: Request): Readable {
  if (request.body === null) throw new AsrError('upload-malformed', 'the request has no body');
  return Readable.fromWeb(request.body);
}

function tooLarge(message: string): AsrError {
  return new AsrError('upload-too-large', message);
}

/** What a broken upload means: the client left, the disk is full, or the form is damaged. */
function refusalOf(error: unknown, request: Request): unknown {
  if (isAsrError(error)) return error;
  if (request.signal.aborted) return request.signal.reason;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AsrError('storage-full', 'there is no room for the recording', { cause: error });
  }
  return new AsrError('upload-malformed', 'the form is damaged or incomplete', { cause: error });
}

async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = /^sotto-server-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid)))
      await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
