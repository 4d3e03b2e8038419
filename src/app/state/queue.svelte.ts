// Recordings in line, read one after the other. One that fails does not stop the others.

import { isAbort } from '../../errors.ts';
import type { Origin } from '../document/transcript.ts';
import { secondsLeft } from './clock.ts';
import type { EngineRoom } from './engine-room.svelte.ts';
import { type FailureCode, failureOf } from './failure.ts';
import type { Library } from './library.svelte.ts';
import { type OpenSound, readInto, type ReadingProgress } from './reading.ts';

export type ItemState =
  | { readonly at: 'waiting' }
  | { readonly at: 'opening' }
  | {
      readonly at: 'reading';
      readonly transcriptId: string;
      readonly progress: ReadingProgress;
      readonly sinceMs: number;
    }
  | { readonly at: 'done'; readonly transcriptId: string }
  | { readonly at: 'cancelled'; readonly transcriptId: string | undefined }
  | {
      readonly at: 'failed';
      /** What was read until then, if anything. */
      readonly transcriptId: string | undefined;
      readonly doneSeconds: number;
      readonly code: FailureCode;
      readonly detail: string;
    };

export class QueueItem {
  readonly id: string = crypto.randomUUID();
  readonly file: File;
  readonly origin: Origin;
  state = $state.raw<ItemState>({ at: 'waiting' });
  /** No decoder here knew the file; the server that was chosen opened it. */
  openedByServer = $state(false);
  /** The transcript's id, once reading has begun; never, if it does not. */
  readonly started: Promise<string>;
  /** Settles once the item is over for the first time. */
  readonly ended: Promise<void>;
  #start: (transcriptId: string) => void = () => undefined;
  #end: () => void = () => undefined;

  constructor(file: File, origin: Origin) {
    this.file = file;
    this.origin = origin;
    this.started = new Promise((resolve) => (this.#start = resolve));
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** Its reading has ended, one way or another. */
  end(): void {
    if (this.over) this.#end();
  }

  /** Shows how far the reading has come. */
  show(state: Extract<ItemState, { at: 'reading' }>): void {
    this.state = state;
    this.#start(state.transcriptId);
  }

  /** Nothing more will happen by itself. */
  get over(): boolean {
    return ['done', 'cancelled', 'failed'].includes(this.state.at);
  }
}

/** Opens a file as sound. Fails with the codes of `audio-…`. */
export type OpenFile = (file: Blob) => Promise<OpenSound>;

export class Queue {
  items = $state.raw<readonly QueueItem[]>([]);
  /** The transcript that is being written. */
  readonly current: QueueItem | undefined = $derived(
    this.items.find(({ state }) => state.at === 'reading' || state.at === 'opening'),
  );
  readonly waiting: readonly QueueItem[] = $derived(this.items.filter(({ state }) => state.at === 'waiting'));
  readonly busy: boolean = $derived(this.current !== undefined || this.waiting.length > 0);
  readonly #library: Library;
  readonly #room: EngineRoom;
  readonly #openFile: OpenFile;
  readonly #now: () => number;
  #abort = new AbortController();
  #running: Promise<void> | undefined;
  #held = 0;

  constructor(library: Library, room: EngineRoom, openFile: OpenFile, now = (): number => performance.now()) {
    this.#library = library;
    this.#room = room;
    this.#openFile = openFile;
    this.#now = now;
  }

  /** Puts files at the end of the line. */
  add(files: readonly File[], from: Origin['from'] = 'file'): QueueItem[] {
    const added = files.map((file) => new QueueItem(file, originOf(file, from)));
    this.items = [...this.items, ...added];
    this.#run();
    return added;
  }

  /** Reads a waiting item before the others. */
  readNext(item: QueueItem): void {
    if (item.state.at !== 'waiting') return;
    const others = this.items.filter((other) => other !== item);
    const firstWaiting = others.findIndex(({ state }) => state.at === 'waiting');
    const at = firstWaiting < 0 ? others.length : firstWaiting;
    this.items = [...others.slice(0, at), item, ...others.slice(at)];
  }

  /** Ends an item: what was read of it stays. */
  cancel(item: QueueItem): void {
    if (item.state.at === 'waiting') item.state = { at: 'cancelled', transcriptId: undefined };
    else if (item === this.current) this.#abort.abort();
  }

  cancelAll(): void {
    for (const item of this.waiting) this.cancel(item);
    if (this.current !== undefined) this.cancel(this.current);
  }

  /** Reads a failed or cancelled item again, from its start. */
  async retry(item: QueueItem): Promise<void> {
    if (item.state.at !== 'failed' && item.state.at !== 'cancelled') return;
    const { transcriptId } = item.state;
    item.state = { at: 'waiting' };
    if (transcriptId !== undefined) await this.#dropUntouched(transcriptId);
    this.#run();
  }

  /** Takes an item off the list; its transcript stays. */
  remove(item: QueueItem): void {
    this.cancel(item);
    this.items = this.items.filter((other) => other !== item);
  }

  /** Takes off the list whatever is over. */
  clear(): void {
    this.items = this.items.filter((item) => !item.over);
  }

  /**
   * Holds the line while `work` uses the engine (a recording goes first). The item under way goes back to
   * the front of the line.
   */
  async standAside<T>(work: () => Promise<T>): Promise<T> {
    this.#held++;
    const { current } = this;
    this.#abort.abort();
    await this.#running;
    if (current?.state.at === 'cancelled') await this.retry(current);
    if (current !== undefined) this.readNext(current);
    try {
      return await work();
    } finally {
      this.#held--;
      this.#run();
    }
  }

  /** Seconds until the current item is done, once that can be told. */
  get secondsLeftOfCurrent(): number | undefined {
    const state = this.current?.state;
    if (state?.at !== 'reading' || state.progress.share === undefined) return undefined;
    return secondsLeft(state.progress.share, (this.#now() - state.sinceMs) / 1000);
  }

  /** Seconds until all are done, as if every file took as long per byte as the current one. */
  get secondsLeftOfAll(): number | undefined {
    const left = this.secondsLeftOfCurrent;
    const { current } = this;
    if (left === undefined || current?.state.at !== 'reading') return undefined;
    const share = current.state.progress.share ?? 1;
    const secondsPerByte = left / Math.max(1, (1 - share) * current.file.size);
    const waitingBytes = this.waiting.reduce((sum, { file }) => sum + file.size, 0);
    return left + waitingBytes * secondsPerByte;
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => (this.#running = undefined));
  }

  async #work(): Promise<void> {
    for (;;) {
      const item = this.#held > 0 ? undefined : this.waiting[0];
      if (item === undefined) return;
      this.#abort = new AbortController();
      item.state = { at: 'opening' };
      await this.#read(item, this.#abort.signal);
      item.end();
    }
  }

  /** Never fails: the item's state says what became of it. */
  async #read(item: QueueItem, signal: AbortSignal): Promise<void> {
    let transcriptId: string | undefined;
    let doneSeconds = 0;
    try {
      const sound = await this.#openFile(item.file);
      item.openedByServer = sound.from === 'server';
      try {
        signal.throwIfAborted();
        const engine = await orAbort(this.#room.open(), signal);
        const transcript = this.#library.begin(item.origin, titleOf(item.file.name), item.file);
        transcriptId = transcript.id;
        const sinceMs = this.#now();
        const show = (progress: ReadingProgress): void => {
          doneSeconds = progress.doneSeconds;
          item.show({ at: 'reading', transcriptId: transcript.id, progress, sinceMs });
        };
        show({ doneSeconds: 0, share: undefined });
        await readInto(transcript, sound, engine, signal, show);
        item.state = { at: 'done', transcriptId };
      } finally {
        await sound.close();
      }
    } catch (error) {
      await this.#end(item, error, signal.aborted, transcriptId, doneSeconds);
    }
  }

  async #end(
    item: QueueItem,
    error: unknown,
    cancelled: boolean,
    transcriptId: string | undefined,
    doneSeconds: number,
  ): Promise<void> {
    const kept = transcriptId === undefined ? undefined : await this.#keepIfAnything(transcriptId);
    if (cancelled || isAbort(error)) {
      item.state = { at: 'cancelled', transcriptId: kept };
      return;
    }
    const failure = failureOf(error);
    item.state = { at: 'failed', transcriptId: kept, doneSeconds, ...failure };
    // A crashed worker answers no more; the next item gets a new one.
    if (failure.code === 'bug' || failure.code === 'out-of-memory') await this.#room.close();
  }

  /** A transcript without a word is not kept. */
  async #keepIfAnything(id: string): Promise<string | undefined> {
    const transcript = await this.#library.open(id);
    if (transcript !== undefined && transcript.segments.length > 0) return id;
    await this.#library.delete(id).catch(() => undefined); // storage is off: there is nothing to delete
    return undefined;
  }

  /** What a first reading left goes before the second, unless somebody has worked on it. */
  async #dropUntouched(id: string): Promise<void> {
    const transcript = await this.#library.open(id);
    if (transcript !== undefined && !transcript.history.canUndo)
      await this.#library.delete(id).catch(() => undefined); // storage is off: the old text stays in the list
  }
}

function originOf({ name, size }: File, from: Origin['from']): Origin {
  switch (from) {
    case 'file':
      return { from, name, bytes: size };
    case 'sample':
      return { from, name };
    case 'microphone':
      return { from };
  }
}

/** The outcome of `work`, or the signal's reason if that comes first. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** 'Interview 3.final.m4a' → 'Interview 3.final' */
export function titleOf(fileName: string): string {
  const title = fileName.replace(/\.[A-Za-z0-9]{1,5}$/, '').trim();
  return title === '' ? fileName : title;
}
