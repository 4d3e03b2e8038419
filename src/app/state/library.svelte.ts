// All transcripts: those in storage, those under work, and what is found in them.

import { plainText } from '../document/export.ts';
import { loadFold } from '../document/script.ts';
import { type Found, SearchIndex } from '../document/search.ts';
import type { Origin, TranscriptDocument, TranscriptSummary } from '../document/transcript.ts';
import type { LibraryChange, LibraryStore, StoredTranscript } from '../storage/library-store.ts';
import { type FailureCode, failureOf } from './failure.ts';
import type { Settings } from './settings.svelte.ts';
import { Transcript } from './transcript.svelte.ts';

export type LibraryState =
  | { readonly at: 'loading' }
  | { readonly at: 'ready' }
  /** Storage is off: transcripts last as long as the page. */
  | { readonly at: 'failed'; readonly code: FailureCode };

/** A transcript in a list, with the place that a search found. */
export interface Hit {
  readonly summary: TranscriptSummary;
  readonly snippet: Snippet | undefined;
}

export interface Snippet {
  readonly before: string;
  readonly match: string;
  readonly after: string;
}

export class Library {
  state = $state.raw<LibraryState>({ at: 'loading' });
  /** Newest first. */
  summaries = $state.raw<readonly TranscriptSummary[]>([]);
  readonly audioBytes: number = $derived(this.summaries.reduce((sum, { audioBytes }) => sum + audioBytes, 0));
  readonly #store: LibraryStore;
  readonly #settings: Settings;
  readonly #open = new Map<string, Transcript>();
  /** Recordings of this session, kept in storage or not. */
  readonly #sounds = new Map<string, Blob>();
  /** Transcripts of this session of which it is settled whether their recording is kept. */
  readonly #decided = new Set<string>();
  #index: Promise<SearchIndex> | undefined;

  constructor(store: LibraryStore, settings: Settings) {
    this.#store = store;
    this.#settings = settings;
    store.onChange((change) => void this.#follow(change));
  }

  async load(): Promise<void> {
    try {
      this.summaries = newestFirst(await this.#store.list());
      this.state = { at: 'ready' };
    } catch (error) {
      this.state = { at: 'failed', code: failureOf(error).code };
    }
  }

  /** A new transcript, to be filled by a reading. */
  begin(origin: Origin, title: string, sound: Blob | undefined): Transcript {
    const document: TranscriptDocument = {
      id: crypto.randomUUID(),
      title,
      createdAtMs: Date.now(),
      durationSeconds: 0,
      origin,
      model: '',
      device: '',
      segments: [],
      scriptView: this.#settings.scriptView,
      punctuation: this.#settings.punctuation,
      ending: { at: 'reading', doneSeconds: 0 },
      damagedPlaces: 0,
    };
    const transcript = this.#adopt(document, undefined);
    if (sound !== undefined) this.#sounds.set(document.id, sound);
    return transcript;
  }

  /** The transcript with this id, ready to be worked on; undefined when there is none. */
  async open(id: string): Promise<Transcript | undefined> {
    const open = this.#open.get(id);
    if (open !== undefined) return open;
    const [document, peaks] = await Promise.all([this.#store.document(id), this.#store.peaks(id)]);
    if (document === undefined) return undefined;
    return this.#open.get(id) ?? this.#adopt(interrupted(document), peaks);
  }

  /** The recording, when it is at hand. */
  async sound(id: string): Promise<Blob | undefined> {
    return this.#sounds.get(id) ?? (await this.#store.audio(id).catch(() => undefined)); // without storage: none
  }

  /** Has a recording at hand for this session; it is kept when the user keeps recordings. */
  lend(id: string, sound: Blob | undefined): void {
    if (sound !== undefined) this.#sounds.set(id, sound);
  }

  keepsAudio(id: string): boolean {
    return (this.summaries.find((summary) => summary.id === id)?.audioBytes ?? 0) > 0;
  }

  /** Keeps the recording beside its transcript, or deletes it. Fails as storage does. */
  async keepAudio(id: string, keep: boolean): Promise<void> {
    const sound = await this.sound(id);
    if (keep && sound === undefined) return;
    this.#decided.add(id);
    await this.#open.get(id)?.saveNow();
    await this.#store.keepAudio(id, keep ? sound : undefined);
    this.#note(id, { audioBytes: keep ? (sound?.size ?? 0) : 0 });
  }

  /** Deletes at once. What is returned puts it back. Fails as storage does. */
  async delete(id: string): Promise<() => Promise<void>> {
    const open = this.#open.get(id);
    await open?.flush();
    const sound = this.#sounds.get(id);
    const taken = await this.#store.take(id);
    this.#forget(id);
    return async () => {
      const stored: StoredTranscript | undefined =
        taken ?? (open && { document: open.document, peaks: open.peaks, audio: undefined });
      if (stored === undefined) return;
      await this.#store.putBack(stored);
      (await this.#index)?.put(searchable(stored.document));
      if (sound !== undefined) this.#sounds.set(id, sound);
      if (open !== undefined) this.#open.set(id, open);
      await this.load();
    };
  }

  async deleteAll(): Promise<void> {
    await this.#store.deleteAll();
    for (const { id } of this.summaries) this.#forget(id);
    await this.load();
  }

  /** Transcripts that hold all of the query, best first. */
  async search(query: string): Promise<Hit[]> {
    const index = await (this.#index ??= this.#buildIndex());
    const byId = new Map(this.summaries.map((summary) => [summary.id, summary]));
    const hits: Hit[] = [];
    for (const found of index.find(query)) {
      const summary = byId.get(found.id);
      if (summary !== undefined) hits.push({ summary, snippet: await this.#snippet(found) });
    }
    return hits;
  }

  /** Writes down everything that is not yet. */
  async flush(): Promise<void> {
    await Promise.all([...this.#open.values()].map((transcript) => transcript.flush()));
  }

  get hasUnsaved(): boolean {
    return [...this.#open.values()].some(({ saved }) => saved.at !== 'saved');
  }

  #adopt(document: TranscriptDocument, peaks: Uint8Array<ArrayBuffer> | undefined): Transcript {
    const transcript = new Transcript(document, peaks, (written, newPeaks) => this.#write(written, newPeaks));
    this.#open.set(document.id, transcript);
    return transcript;
  }

  async #write(document: TranscriptDocument, peaks: Uint8Array<ArrayBuffer>): Promise<void> {
    const { id } = document;
    if (!this.#open.has(id)) return; // deleted meanwhile
    const summary = await this.#store.save(document, peaks.length > 0 ? peaks : undefined);
    this.#put(summary);
    const sound = this.#sounds.get(id);
    if (!this.#decided.has(id) && this.#settings.keepAudio && sound !== undefined) {
      this.#decided.add(id);
      await this.#store.keepAudio(id, sound);
      this.#note(id, { audioBytes: sound.size });
    }
    (await this.#index)?.put(searchable(document));
  }

  #put(summary: TranscriptSummary): void {
    this.summaries = newestFirst([...this.summaries.filter(({ id }) => id !== summary.id), summary]);
  }

  #note(id: string, news: Partial<TranscriptSummary>): void {
    this.summaries = this.summaries.map((summary) => (summary.id === id ? { ...summary, ...news } : summary));
  }

  #forget(id: string): void {
    this.#open.delete(id);
    this.#sounds.delete(id);
    this.summaries = this.summaries.filter((summary) => summary.id !== id);
    void this.#index?.then((index) => index.remove(id));
  }

  /** Another tab changed something. */
  async #follow({ id, what }: LibraryChange): Promise<void> {
    if (what === 'deleted') return this.#forget(id);
    const open = this.#open.get(id);
    // What is being worked on here stands; it will be saved over what the other tab saved.
    if (open !== undefined && open.saved.at === 'saved' && open.ending.at !== 'reading')
      this.#open.delete(id);
    await this.load();
    const document = await this.#store.document(id).catch(() => undefined); // gone again: the list says so
    if (document !== undefined) (await this.#index)?.put(searchable(document));
  }

  async #buildIndex(): Promise<SearchIndex> {
    // Without the dictionary, Traditional and Simplified do not find each other; all else works.
    const index = new SearchIndex(await loadFold().catch(() => (text: string) => text));
    for await (const document of this.#store.documents(this.summaries.map(({ id }) => id)))
      index.put(searchable(document));
    return index;
  }

  async #snippet({ id, place }: Found): Promise<Snippet | undefined> {
    if (place === undefined) return undefined;
    const document = this.#open.get(id)?.document ?? (await this.#store.document(id));
    if (document === undefined) return undefined;
    const text = searchable(document).text;
    return {
      before: text.slice(Math.max(0, place.start - 24), place.start).replace(/\s+/gu, ' '),
      match: text.slice(place.start, place.end),
      after: text.slice(place.end, place.end + 80).replace(/\s+/gu, ' '),
    };
  }
}

function searchable({ id, title, segments }: TranscriptDocument): {
  id: string;
  title: string;
  text: string;
} {
  return { id, title, text: plainText(segments) };
}

function newestFirst(summaries: readonly TranscriptSummary[]): TranscriptSummary[] {
  return [...summaries].sort((a, b) => b.createdAtMs - a.createdAtMs);
}

/** A reading that nobody is at any more: its page was closed or crashed. */
function interrupted(document: TranscriptDocument): TranscriptDocument {
  if (document.ending.at !== 'reading') return document;
  return { ...document, ending: { at: 'stopped', doneSeconds: document.ending.doneSeconds } };
}
