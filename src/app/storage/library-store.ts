// Transcripts in IndexedDB, in a database of their own.
//
//   ['summary', id]    what lists show
//   ['document', id]   the transcript
//   ['peaks', id]      the waveform
//   ['audio', id]      the recording, if the user keeps it: a Blob, which browsers put on disk as a file
//
// Deleting removes all four at once; nothing of a deleted transcript stays.

import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import { AsrError, isAsrError } from '../../errors.ts';
import {
  asDocument,
  summaryOf,
  type TranscriptDocument,
  type TranscriptSummary,
} from '../document/transcript.ts';

const DATABASE = 'sotto-library';
const OBJECT_STORE = 'records';

/** Everything of one transcript. */
export interface StoredTranscript {
  readonly document: TranscriptDocument;
  readonly peaks: Uint8Array<ArrayBuffer> | undefined;
  readonly audio: Blob | undefined;
}

/** What another tab did. */
export interface LibraryChange {
  readonly id: string;
  readonly what: 'saved' | 'deleted';
}

/** Fails with `storage-denied` and `storage-full`. */
export class LibraryStore {
  readonly #name: string;
  readonly #channel: BroadcastChannel;
  #use: UseStore | undefined;

  constructor(name = DATABASE) {
    this.#name = name;
    this.#channel = new BroadcastChannel(name);
  }

  /** Hears what other tabs change. */
  onChange(listener: (change: LibraryChange) => void): void {
    this.#channel.onmessage = ({ data }: MessageEvent<LibraryChange>) => listener(data);
  }

  close(): void {
    this.#channel.close();
  }

  list(): Promise<TranscriptSummary[]> {
    return this.#run('readonly', (records) =>
      promisifyRequest(records.getAll(under('summary')) as IDBRequest<TranscriptSummary[]>),
    );
  }

  /** Every transcript, for the search index: one after the other, so that they are never all in memory. */
  async *documents(ids: readonly string[]): AsyncGenerator<TranscriptDocument> {
    for (const id of ids) {
      const document = await this.document(id);
      if (document !== undefined) yield document;
    }
  }

  async document(id: string): Promise<TranscriptDocument | undefined> {
    return asDocument(await this.#get(['document', id]));
  }

  async peaks(id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const peaks = await this.#get(['peaks', id]);
    return peaks instanceof Uint8Array ? (peaks as Uint8Array<ArrayBuffer>) : undefined;
  }

  async audio(id: string): Promise<Blob | undefined> {
    const audio = await this.#get(['audio', id]);
    return audio instanceof Blob ? audio : undefined;
  }

  async save(document: TranscriptDocument, peaks?: Uint8Array<ArrayBuffer>): Promise<TranscriptSummary> {
    const { id } = document;
    const summary = await this.#run('readwrite', async (records) => {
      const before = await promisifyRequest(
        records.get(['summary', id]) as IDBRequest<TranscriptSummary | undefined>,
      );
      const after = summaryOf(document, before?.audioBytes ?? 0);
      records.put(after, ['summary', id]);
      records.put(document, ['document', id]);
      if (peaks !== undefined) records.put(peaks, ['peaks', id]);
      await promisifyRequest(records.transaction);
      return after;
    });
    this.#tell({ id, what: 'saved' });
    return summary;
  }

  /** Keeps the recording of a transcript that is saved, or lets go of it. */
  async keepAudio(id: string, audio: Blob | undefined): Promise<void> {
    await this.#run('readwrite', async (records) => {
      const summary = await promisifyRequest(
        records.get(['summary', id]) as IDBRequest<TranscriptSummary | undefined>,
      );
      if (summary === undefined) return;
      if (audio === undefined) records.delete(['audio', id]);
      else records.put(audio, ['audio', id]);
      records.put({ ...summary, audioBytes: audio?.size ?? 0 }, ['summary', id]);
      await promisifyRequest(records.transaction);
    });
    this.#tell({ id, what: 'saved' });
  }

  /** Takes a transcript out, for good. What is returned can be put back. */
  async take(id: string): Promise<StoredTranscript | undefined> {
    const taken = await this.#run('readwrite', async (records) => {
      const [document, peaks, audio] = await Promise.all(
        KINDS.map((kind) => promisifyRequest(records.get([kind, id]) as IDBRequest<unknown>)),
      );
      for (const kind of ['summary', ...KINDS]) records.delete([kind, id]);
      await promisifyRequest(records.transaction);
      return { document: asDocument(document), peaks, audio };
    });
    this.#tell({ id, what: 'deleted' });
    if (taken.document === undefined) return undefined;
    return {
      document: taken.document,
      peaks: taken.peaks instanceof Uint8Array ? (taken.peaks as Uint8Array<ArrayBuffer>) : undefined,
      audio: taken.audio instanceof Blob ? taken.audio : undefined,
    };
  }

  async putBack({ document, peaks, audio }: StoredTranscript): Promise<void> {
    await this.save(document, peaks);
    if (audio !== undefined) await this.keepAudio(document.id, audio);
  }

  async deleteAll(): Promise<void> {
    const ids = (await this.list()).map(({ id }) => id);
    await this.#run('readwrite', (records) => {
      records.clear();
      return promisifyRequest(records.transaction);
    });
    for (const id of ids) this.#tell({ id, what: 'deleted' });
  }

  #get(key: IDBValidKey): Promise<unknown> {
    return this.#run('readonly', (records) => promisifyRequest(records.get(key) as IDBRequest<unknown>));
  }

  #tell(change: LibraryChange): void {
    this.#channel.postMessage(change);
  }

  async #run<T>(mode: IDBTransactionMode, work: (records: IDBObjectStore) => T | PromiseLike<T>): Promise<T> {
    try {
      this.#use ??= createStore(this.#name, OBJECT_STORE);
      return await this.#use(mode, work);
    } catch (cause) {
      throw explained(cause);
    }
  }
}

const KINDS = ['document', 'peaks', 'audio'] as const;

/** All keys that begin so: an empty array sorts after every text. */
function under(kind: string): IDBKeyRange {
  return IDBKeyRange.bound([kind], [kind, []]);
}

/** Says in our words why the browser refuses. */
function explained(cause: unknown): unknown {
  if (isAsrError(cause)) return cause;
  const name = cause instanceof Error ? cause.name : String(cause);
  if (name === 'QuotaExceededError') {
    return new AsrError('storage-full', 'the browser allows this site no more storage', { cause });
  }
  return new AsrError('storage-denied', `the browser gives no storage (${name})`, { cause });
}
