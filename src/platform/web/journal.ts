// Recordings under way, in IndexedDB, in slices of half a second: whatever happens to the tab, all but the
// last slice is there. A database of its own, so that a full or damaged one costs no transcript.
//
//   ['session', id]               what is being recorded
//   ['slice', id, startSample]    16 kHz, mono, 16 bits
//
// Who records holds a lock by the session's name for as long as its tab lives; a session that nobody holds
// has been cut off, and can be finished.

import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { AsrError } from '../../errors.ts';
import { SAMPLE_RATE } from '../../signal/units.ts';

const DATABASE = 'sotto-journal';
const OBJECT_STORE = 'records';
const WAV_HEADER_BYTES = 44;
/** Slices put into one Blob at once: a minute. Browsers put large Blobs on disk. */
const BATCH_SLICES = 120;

export interface JournalSession {
  readonly id: string;
  readonly title: string;
  readonly startedAtMs: number;
  /** The transcript that its text went to. */
  readonly transcriptId?: string;
}

/** A recording that was cut off. */
export interface CutOffRecording extends JournalSession {
  readonly seconds: number;
}

type SliceKey = [kind: 'slice', id: string, startSample: number];

/** Fails with `storage-full` and `storage-denied`. */
export class Journal {
  readonly #name: string;
  #use: UseStore | undefined;

  constructor(name = DATABASE) {
    this.#name = name;
  }

  async begin(session: JournalSession): Promise<void> {
    await this.#run('readwrite', (records) =>
      promisifyRequest(records.put(session, ['session', session.id])),
    );
  }

  /** Ties the recording to the transcript that its text goes to. */
  async tie(id: string, transcriptId: string): Promise<void> {
    await this.#run('readwrite', async (records) => {
      const session = await promisifyRequest(
        records.get(['session', id]) as IDBRequest<JournalSession | undefined>,
      );
      if (session !== undefined) records.put({ ...session, transcriptId }, ['session', id]);
      await promisifyRequest(records.transaction);
    });
  }

  async add(id: string, startSample: number, samples: Int16Array<ArrayBuffer>): Promise<void> {
    await this.#run('readwrite', (records) => {
      records.put(samples, ['slice', id, startSample] satisfies SliceKey);
      return promisifyRequest(records.transaction);
    });
  }

  /** Recordings that nobody is making any more, newest first. Empty ones are cleared away. */
  async cutOff(): Promise<CutOffRecording[]> {
    const sessions = await this.#run('readonly', (records) =>
      promisifyRequest(records.getAll(under('session')) as IDBRequest<JournalSession[]>),
    );
    if (sessions.length === 0) return [];
    const { held = [] } = await navigator.locks.query();
    const alive = new Set(held.map(({ name }) => name));
    const found: CutOffRecording[] = [];
    for (const session of sessions) {
      if (alive.has(lockOf(session.id))) continue;
      const samples = await this.samples(session.id);
      if (samples > 0) found.push({ ...session, seconds: samples / SAMPLE_RATE });
      else await this.remove(session.id);
    }
    return found.sort((a, b) => b.startedAtMs - a.startedAtMs);
  }

  /** Samples kept so far. */
  async samples(id: string): Promise<number> {
    return this.#run('readonly', async (records) => {
      const cursor = await promisifyRequest(records.openCursor(under('slice', id), 'prev'));
      if (cursor === null) return 0;
      return (cursor.key as SliceKey)[2] + (cursor.value as Int16Array).length;
    });
  }

  /** The recording as a WAV file; `rest` is what came after and could not be kept. */
  async sound(id: string, rest: readonly Int16Array<ArrayBuffer>[] = []): Promise<Blob> {
    const parts: Blob[] = [];
    let from = 0;
    for (;;) {
      const range = IDBKeyRange.bound(['slice', id, from], ['slice', id, []], false, true);
      const slices = await this.#run('readonly', (records) =>
        promisifyRequest(records.getAll(range, BATCH_SLICES) as IDBRequest<Int16Array<ArrayBuffer>[]>),
      );
      if (slices.length === 0) break;
      parts.push(new Blob(slices));
      from += slices.reduce((sum, { length }) => sum + length, 0);
    }
    return wavFile([...parts, ...rest]);
  }

  async remove(id: string): Promise<void> {
    await this.#run('readwrite', (records) => {
      records.delete(under('slice', id));
      records.delete(['session', id]);
      return promisifyRequest(records.transaction);
    });
  }

  async #run<T>(mode: IDBTransactionMode, work: (records: IDBObjectStore) => T | PromiseLike<T>): Promise<T> {
    try {
      this.#use ??= createStore(this.#name, OBJECT_STORE);
      return await this.#use(mode, work);
    } catch (cause) {
      const name = cause instanceof Error ? cause.name : String(cause);
      if (name === 'QuotaExceededError') {
        throw new AsrError('storage-full', 'the browser allows this site no more storage', { cause });
      }
      throw new AsrError('storage-denied', `the browser gives no storage (${name})`, { cause });
    }
  }
}

/** Says that this tab is at the recording, until what is returned is called, or the tab is gone. */
export function holdSession(id: string): () => void {
  let release = (): void => {};
  void navigator.locks.request(lockOf(id), () => new Promise<void>((resolve) => (release = resolve)));
  return () => release();
}

function lockOf(id: string): string {
  return `sotto-recording-${id}`;
}

/** All keys that begin so: an empty array sorts after every text and number. */
function under(...start: string[]): IDBKeyRange {
  return IDBKeyRange.bound(start, [...start, []]);
}

/** Pieces of 16-bit sound as one WAV file. */
export function wavFile(pieces: readonly (Blob | Int16Array<ArrayBuffer>)[]): Blob {
  const pcm = new Blob([...pieces]);
  return new Blob([wavHeader(pcm.size), pcm], { type: 'audio/wav' });
}

function wavHeader(pcmBytes: number): ArrayBuffer {
  const header = new DataView(new ArrayBuffer(WAV_HEADER_BYTES));
  const text = (at: number, name: string): void =>
    [...name].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  text(0, 'RIFF');
  header.setUint32(4, WAV_HEADER_BYTES - 8 + pcmBytes, true);
  text(8, 'WAVEfmt ');
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true); //  PCM
  header.setUint16(22, 1, true); //  mono
  header.setUint32(24, SAMPLE_RATE, true);
  header.setUint32(28, SAMPLE_RATE * 2, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  text(36, 'data');
  header.setUint32(40, pcmBytes, true);
  return header.buffer;
}
