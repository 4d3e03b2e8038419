// Where the bytes of an audio file come from: a disk, a Blob, an upload, memory. Read in pieces,
// so that a recording of hours never lies in memory as a whole.

import { AsrError, assert } from '../../errors.ts';

/** Bytes that can be asked for by position. */
export interface ByteSource {
  /** All bytes, when that is known before the end is reached. */
  readonly sizeBytes: number | undefined;
  /** True when any place can be read at any time; false when the bytes come once, in order. */
  readonly seekable: boolean;
  /** The bytes from `offset` on: `lengthBytes` of them, fewer only where the file ends. Do not write into them. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
  /** Lets go of what lies behind. Safe to call twice. */
  close(): Promise<void>;
}

/** Bytes that are in memory already. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    seekable: true,
    read: (offset, lengthBytes) => Promise.resolve(bytes.subarray(offset, offset + lengthBytes)),
    close: () => Promise.resolve(),
  };
}

/** Bytes that a forward source keeps behind the furthest read, for readers that look back a little. */
const KEPT_BYTES = 1 << 18;

/**
 * Bytes that only come once and in order (an upload while it arrives). Reading may go forward freely
 * and back by `KEPT_BYTES`; formats whose index lies at the end need a source with random access.
 */
export class ForwardSource implements ByteSource {
  readonly seekable = false;
  readonly sizeBytes: number | undefined;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #kept: Uint8Array[] = [];
  #keptStart = 0;
  #end = 0;
  #done = false;

  constructor(pieces: AsyncIterable<Uint8Array>, sizeBytes?: number) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    assert(offset >= this.#keptStart, 'a forward source is not asked for bytes long past');
    while (!this.#done && this.#end < offset + lengthBytes) {
      this.#forget(Math.min(offset, this.#end) - KEPT_BYTES);
      await this.#pull();
    }
    return this.#copy(offset, Math.min(offset + lengthBytes, this.#end));
  }

  async close(): Promise<void> {
    this.#done = true;
    this.#kept = [];
    this.#keptStart = this.#end;
    await this.#pieces.return?.();
  }

  async #pull(): Promise<void> {
    const next = await this.#pieces.next();
    if (next.done === true) {
      this.#done = true;
    } else if (next.value.length > 0) {
      this.#kept.push(next.value);
      this.#end += next.value.length;
    }
  }

  #forget(before: number): void {
    for (
      let first = this.#kept[0];
      first && this.#keptStart + first.length <= before;
      first = this.#kept[0]
    ) {
      this.#kept.shift();
      this.#keptStart += first.length;
    }
  }

  #copy(start: number, end: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, end - start));
    let at = this.#keptStart;
    for (const piece of this.#kept) {
      const from = Math.max(start, at);
      const to = Math.min(end, at + piece.length);
      if (from < to) bytes.set(piece.subarray(from - at, to - at), from - start);
      at += piece.length;
    }
    return bytes;
  }
}

/** Bytes fetched at a time: large enough that the calls cost nothing, small beside what a decoder holds. */
const FETCH_BYTES = 1 << 16;

/**
 * Walks forward through a source. `bytes` is what is in view; `need` widens the view, `skip` moves
 * its start. Aborts between fetches.
 */
export class ByteCursor {
  /** The bytes from `position` on that are in view. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where `bytes` starts in the file. */
  position: number;
  /** True when the view reaches the end of the file. */
  atEnd = false;
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;

  constructor(source: ByteSource, position: number, signal?: AbortSignal) {
    this.#source = source;
    this.position = position;
    this.#signal = signal;
  }

  /** Brings at least `countBytes` into view, fewer only at the end of the file; says whether there are that many. */
  async need(countBytes: number): Promise<boolean> {
    while (this.bytes.length < countBytes && !this.atEnd) {
      this.#signal?.throwIfAborted();
      const missing = countBytes - this.bytes.length;
      const more = await this.#source.read(this.position + this.bytes.length, Math.max(missing, FETCH_BYTES));
      this.atEnd = more.length < missing || more.length === 0;
      if (more.length > 0) this.bytes = joined(this.bytes, more);
    }
    return this.bytes.length >= countBytes;
  }

  /** Moves the start of the view forward, also beyond what is in view. */
  skip(countBytes: number): void {
    this.position += countBytes;
    if (countBytes <= this.bytes.length) {
      this.bytes = this.bytes.subarray(countBytes);
    } else {
      this.bytes = new Uint8Array(0);
      this.atEnd = false;
    }
  }
}

/** Two stretches of bytes as one (the second itself when the first is empty). */
export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a, 0);
  both.set(b, a.length);
  return both;
}

/** True when `bytes` holds the ASCII text `text` at `at`. */
export function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  if (at < 0 || at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** The view that reads numbers out of bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The source of an empty file is refused here, once for all formats. */
export function emptyFile(): AsrError {
  return new AsrError('audio-empty', 'the file is empty (0 bytes)');
}
