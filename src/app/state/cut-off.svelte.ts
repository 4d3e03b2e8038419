// Recordings that were cut off: their tab was closed, crashed, or the battery was empty. What was heard is in
// the journal; here it can be read to its end, or let go.

import type { CutOffRecording } from '../../platform/web/journal.ts';
import type { Library } from './library.svelte.ts';
import type { Queue } from './queue.svelte.ts';

/** The journal, as far as this needs it. */
export interface CutOffJournal {
  cutOff(): Promise<CutOffRecording[]>;
  sound(id: string): Promise<Blob>;
  remove(id: string): Promise<void>;
}

export class CutOff {
  /** Newest first. */
  recordings = $state.raw<readonly CutOffRecording[]>([]);
  readonly #journal: CutOffJournal | undefined;
  readonly #queue: Queue;
  readonly #library: Library;

  constructor(journal: CutOffJournal | undefined, queue: Queue, library: Library) {
    this.#journal = journal;
    this.#queue = queue;
    this.#library = library;
  }

  async load(): Promise<void> {
    // Without storage nothing was kept, so nothing was cut off.
    this.recordings = (await this.#journal?.cutOff().catch(() => [])) ?? [];
  }

  /** Reads the recording from its start, into a new transcript. It leaves the journal once that is done. */
  async finish(recording: CutOffRecording): Promise<void> {
    if (this.#journal === undefined) return;
    this.#drop(recording);
    const sound = await this.#journal.sound(recording.id);
    const file = new File([sound], `${recording.title}.wav`, { type: sound.type });
    const [item] = this.#queue.add([file], 'microphone');
    await item?.ended;
    if (item?.state.at !== 'done') return;
    await this.#forgetPart(recording.transcriptId);
    await this.#journal.remove(recording.id);
  }

  async discard(recording: CutOffRecording): Promise<void> {
    this.#drop(recording);
    await this.#journal?.remove(recording.id);
  }

  #drop({ id }: CutOffRecording): void {
    this.recordings = this.recordings.filter((other) => other.id !== id);
  }

  /** The text that had come before the recording was cut off goes, unless somebody has worked on it. */
  async #forgetPart(id: string | undefined): Promise<void> {
    const part = id === undefined ? undefined : await this.#library.open(id);
    if (part === undefined || part.history.canUndo || part.ending.at === 'whole') return;
    await this.#library.delete(part.id).catch(() => undefined); // storage is off: the old text stays in the list
  }
}
