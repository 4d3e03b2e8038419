// One large file of the source as the converter wants it: any range, any time.
//
//   server ─► blocks of 2 MiB ─► spool (survives a kill) ─► memory (the last few) ─► ranges
//                     └► SHA-256 of the whole file, block after block in their order
//
// The converter reads nearly from the beginning of the file to its end, so the blocks behind the one that it asks
// for are fetched at once. A block leaves the spool when it has been hashed and the shards made of it stand.

import type { ByteSource } from '../../convert/byte-source.ts';
import { joinBytes } from '../../bytes.ts';
import { AsrError } from '../../errors.ts';
import { type FileFacts, type RangeReading, readRange } from './http-bytes.ts';
import type { HashMark, Journal } from './journal.ts';
import type { Published } from './published.ts';
import type { ResumableSha256, StartSha256 } from './resumable-sha256.ts';
import type { Spool } from './spool.ts';

/** Large enough for a request to be worth it, small enough to lose. */
export const BLOCK_BYTES = 2 << 20;
/** Blocks that stay in memory: those under way, and the ends of matrices that share one. */
const CACHED_BLOCKS = 8;
/** When the hash has fallen so far behind, the block that it waits for is fetched of its own. */
const HASH_BEHIND_BLOCKS = 256;

export interface PulledFileOptions {
  readonly path: string;
  readonly spool: Spool;
  readonly journal: Journal;
  readonly published: Published | undefined;
  readonly connections: number;
  readonly blockBytes: number;
  readonly reading: RangeReading;
  readonly startSha256: StartSha256;
}

export class PulledFile implements ByteSource {
  readonly name: string;
  readonly bytes: number;
  readonly version?: string;
  readonly #options: PulledFileOptions;
  readonly #blockBytes: number;
  readonly #facts: FileFacts;
  readonly #lanes: Lanes;
  readonly #cache = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #underWay = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  /** How much was read of the blocks whose shards do not stand yet, and the blocks of which everything stands. */
  readonly #readBytes = new Map<number, number>();
  readonly #settled = new Set<number>();
  readonly #hash: FileHash | undefined;

  private constructor(
    options: PulledFileOptions,
    facts: FileFacts,
    bytes: number,
    hash: FileHash | undefined,
  ) {
    this.#options = options;
    this.#blockBytes = options.blockBytes;
    this.#facts = facts;
    this.#hash = hash;
    this.#lanes = new Lanes(options.connections);
    this.name = options.path;
    this.bytes = bytes;
    const version = versionOf(facts, options.published);
    if (version !== undefined) this.version = version;
  }

  /**
   * Asks for the file's first block, and learns its size.
   *
   * Fails as `readRange`, and with `source-changed` when the size is not the published one.
   */
  static async open(options: PulledFileOptions): Promise<PulledFile> {
    const { reading, published, journal, path, spool } = options;
    const { bytes: first, facts } = await readRange(reading, 0, options.blockBytes);
    const size = facts.totalBytes ?? published?.bytes;
    if (size === undefined) {
      throw new AsrError('source-no-ranges', `${reading.url} does not say how large it is`);
    }
    if (published !== undefined && size !== published.bytes) {
      const found = `${reading.url} has ${size} bytes; ${published.bytes} are published`;
      throw new AsrError('source-changed', found);
    }
    const version = versionOf(facts, published);
    const before = journal.hash(path);
    // Blocks of another version are of no use.
    if (before === undefined || before.fileVersion !== version) await spool.clear();
    if (!spool.has(0)) await spool.put(0, first);
    const hash = published && version !== undefined ? await FileHash.open(options, version, size) : undefined;
    if (version !== undefined && hash === undefined) {
      journal.noteHash(path, { fileVersion: version, atByte: 0, state: '', verified: false });
    }
    const file = new PulledFile(options, { ...facts, totalBytes: size }, size, hash);
    file.#remember(0, first);
    try {
      await hash?.offer(0, first, (next, bytes) => spool.get(next, bytes));
    } catch (error) {
      await file.close(); // nobody else knows of it
      throw error;
    }
    return file;
  }

  async read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset + length > this.bytes) {
      throw new AsrError('checkpoint-malformed', `${this.name} ends before byte ${offset + length}`);
    }
    const start = Math.floor(offset / this.#blockBytes);
    const last = Math.floor(Math.max(offset, offset + length - 1) / this.#blockBytes);
    const wanted = Array.from({ length: last - start + 1 }, (_, i) => start + i);
    const parts = await Promise.all(wanted.map((number) => this.#part(number, offset, offset + length)));
    signal.throwIfAborted();
    // A reading of a header or a bias says nothing about what is read next.
    if (length >= this.#blockBytes / 4) this.#fetchAhead(last);
    const [first] = parts;
    return first !== undefined && parts.length === 1 ? first : joinBytes(parts);
  }

  /** What block `number` has of bytes [startByte, endByte). */
  async #part(number: number, startByte: number, endByte: number): Promise<Uint8Array> {
    const block = await this.#block(number);
    const atByte = number * this.#blockBytes;
    const part = block.subarray(Math.max(0, startByte - atByte), endByte - atByte);
    this.#readBytes.set(number, (this.#readBytes.get(number) ?? 0) + part.length);
    return part;
  }

  /** To be called when shards stand that are made of everything read so far. */
  async settle(): Promise<void> {
    for (const [number, bytes] of this.#readBytes) {
      if (bytes < Math.min(this.#blockBytes, this.bytes - number * this.#blockBytes)) continue;
      this.#settled.add(number);
      this.#readBytes.delete(number);
    }
    await this.#hash?.note();
  }

  /** To be called when the journal has been saved: what is settled and hashed need not be kept any more. */
  async drop(): Promise<void> {
    const { spool } = this.#options;
    for (const number of this.#settled) {
      if (this.#hash !== undefined && (number + 1) * this.#blockBytes > this.#hash.notedByte) continue;
      await spool.drop(number);
      this.#settled.delete(number);
    }
  }

  /**
   * Hashes what the converter did not ask for and compares the whole with the published hash.
   * True when it matches, undefined when none is published. Fails with `weights-corrupt`.
   */
  async verify(signal: AbortSignal): Promise<true | undefined> {
    const hash = this.#hash;
    if (hash === undefined) return undefined;
    while (!hash.done) {
      signal.throwIfAborted();
      const number = hash.nextBlock;
      for (let ahead = number; ahead < number + this.#options.connections; ahead++) this.#fetch(ahead);
      await hash.take(number, await this.#block(number));
    }
    const { reading, published } = this.#options;
    if (await hash.matches(published?.sha256)) return true;
    throw new AsrError('weights-corrupt', `${reading.url} does not match its published SHA-256`);
  }

  /** Waits for blocks that are still being stored: when it returns, nothing is written any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
    this.#hash?.close();
  }

  /** Starts on the blocks behind the one that was asked for last. */
  #fetchAhead(number: number): void {
    for (let ahead = 1; ahead <= this.#options.connections; ahead++) this.#fetch(number + ahead);
    const awaited = this.#hash?.done === false ? this.#hash.nextBlock : number;
    if (awaited < number - HASH_BEHIND_BLOCKS) this.#fetch(awaited);
  }

  #fetch(number: number): void {
    if (number * this.#blockBytes >= this.bytes || this.#cache.has(number)) return;
    if (this.#underWay.has(number) || this.#options.spool.has(number)) return;
    this.#block(number).catch(() => undefined); // whoever asks for it hears of it
  }

  #block(number: number): Promise<Uint8Array<ArrayBuffer>> {
    const cached = this.#cache.get(number);
    if (cached !== undefined) return Promise.resolve(cached);
    const known = this.#underWay.get(number);
    if (known !== undefined) return known;
    const work = this.#lanes.run(() => this.#load(number)).finally(() => this.#underWay.delete(number));
    this.#underWay.set(number, work);
    return work;
  }

  async #load(number: number): Promise<Uint8Array<ArrayBuffer>> {
    const { spool, reading } = this.#options;
    const start = number * this.#blockBytes;
    const end = Math.min(this.bytes, start + this.#blockBytes);
    reading.signal.throwIfAborted();
    let block = await spool.get(number, end - start);
    if (block === undefined) {
      block = (await readRange(reading, start, end, this.#facts)).bytes;
      await spool.put(number, block);
    }
    this.#remember(number, block);
    await this.#hash?.offer(number, block, (next, bytes) => spool.get(next, bytes));
    return block;
  }

  #remember(number: number, block: Uint8Array<ArrayBuffer>): void {
    this.#cache.set(number, block);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > CACHED_BLOCKS && oldest !== undefined) this.#cache.delete(oldest);
  }
}

/** What the content is known by: its published hash, else the server's word. */
function versionOf({ totalBytes, etag }: FileFacts, published: Published | undefined): string | undefined {
  if (published !== undefined) return `sha256 ${published.sha256}`;
  return etag === undefined ? undefined : `${etag} ${totalBytes ?? ''}`;
}

/** The SHA-256 of a file whose blocks come nearly in order. */
class FileHash {
  readonly #path: string;
  readonly #blockBytes: number;
  readonly #version: string;
  readonly #totalBytes: number;
  readonly #sha256: ResumableSha256;
  readonly #journal: Journal;
  #turn: Promise<void> = Promise.resolve();
  #atByte: number;
  #verified: boolean;
  /** How far the journal knows. */
  notedByte: number;

  private constructor(
    { path, blockBytes, journal }: PulledFileOptions,
    version: string,
    totalBytes: number,
    sha256: ResumableSha256,
    known: HashMark | undefined,
  ) {
    this.#blockBytes = blockBytes;
    this.#path = path;
    this.#version = version;
    this.#totalBytes = totalBytes;
    this.#sha256 = sha256;
    this.#journal = journal;
    this.#atByte = known?.atByte ?? 0;
    this.#verified = known?.verified ?? false;
    this.notedByte = this.#atByte;
  }

  static async open(options: PulledFileOptions, version: string, totalBytes: number): Promise<FileHash> {
    const mark = options.journal.hash(options.path);
    const known = mark?.fileVersion === version ? mark : undefined;
    const state = known !== undefined && known.state !== '' ? fromHex(known.state) : undefined;
    const sha256 = await options.startSha256(state);
    const hash = new FileHash(options, version, totalBytes, sha256, known);
    await hash.note();
    return hash;
  }

  get done(): boolean {
    return this.#verified || this.#atByte >= this.#totalBytes;
  }

  get nextBlock(): number {
    return this.#atByte / this.#blockBytes;
  }

  /** Takes a block if it is the next, and those behind it that wait in the spool. */
  offer(
    number: number,
    block: Uint8Array,
    waiting: (number: number, bytes: number) => Promise<Uint8Array | undefined>,
  ): Promise<void> {
    return this.#inTurn(async () => {
      if (this.done || number !== this.nextBlock) return;
      await this.#update(block);
      while (!this.done) {
        const next = await waiting(
          this.nextBlock,
          Math.min(this.#blockBytes, this.#totalBytes - this.#atByte),
        );
        if (next === undefined) return;
        await this.#update(next);
      }
    });
  }

  take(number: number, block: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.done && number === this.nextBlock) await this.#update(block);
    });
  }

  /** Tells the journal how far it is. */
  note(): Promise<void> {
    return this.#inTurn(async () => {
      const { fileVersion, atByte } = { fileVersion: this.#version, atByte: this.#atByte };
      const state = this.#verified ? '' : toHex(await this.#sha256.save());
      this.#journal.noteHash(this.#path, { fileVersion, atByte, state, verified: this.#verified });
      this.notedByte = atByte;
    });
  }

  async matches(published: string | undefined): Promise<boolean> {
    this.#verified ||= (await this.#sha256.hex()) === published;
    return this.#verified;
  }

  close(): void {
    this.#sha256.release();
  }

  async #update(block: Uint8Array): Promise<void> {
    await this.#sha256.update(block);
    this.#atByte += block.length;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined); // its own caller hears of it
    return turn;
  }
}

/** So many at a time. */
class Lanes {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(lanes: number) {
    this.#free = lanes;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}
