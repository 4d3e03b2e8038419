// One transcript under work: events from the engine come in at its end while a person edits anywhere.
// Every change goes through here, can be taken back, and is saved by itself.

import type { TranscriptEvent } from '../../engine/events.ts';
import { type AsrErrorCode, isAsrError } from '../../errors.ts';
import {
  applySplice,
  editable,
  inverse,
  joined,
  rewritten,
  seamOf,
  secondsAt,
  type Splice,
  splitAt,
} from '../document/editing.ts';
import { Display, type Shown } from '../document/display.ts';
import type { Exportable } from '../document/export.ts';
import { type Match, replaced } from '../document/find.ts';
import { loadScript, showAsWritten, type ShowScript } from '../document/script.ts';
import type {
  EditableSegment,
  Ending,
  PunctuationWidth,
  ScriptView,
  TranscriptDocument,
} from '../document/transcript.ts';
import type { FailureCode } from './failure.ts';
import { History } from './history.svelte.ts';

/** A segment under way. */
export interface LiveLine {
  readonly index: number;
  readonly startSeconds: number;
  readonly committed: string;
  readonly tentative: string;
}

export type SaveState =
  | { readonly at: 'saved' }
  | { readonly at: 'unsaved' }
  | { readonly at: 'failed'; readonly code: FailureCode };

/** Where the caret should be after a change that moved text between segments. */
export interface Caret {
  readonly segmentId: string;
  readonly offset: number;
}

/** Writes a transcript down. Fails as storage does. */
export type Save = (document: TranscriptDocument, peaks: Uint8Array<ArrayBuffer>) => Promise<void>;

const SAVE_AFTER_EDIT_MILLISECONDS = 500;
const SAVE_WHILE_READING_MILLISECONDS = 3000;

export class Transcript {
  readonly id: string;
  readonly createdAtMs: number;
  readonly history = new History();
  segments = $state.raw<readonly EditableSegment[]>([]);
  /** Segments under way, in order of time. */
  live = $state.raw<readonly LiveLine[]>([]);
  title = $state('');
  ending = $state.raw<Ending>({ at: 'whole' });
  durationSeconds = $state(0);
  peaks = $state.raw<Uint8Array<ArrayBuffer>>(new Uint8Array(0));
  damagedPlaces = $state(0);
  /** What this reading has to do without. */
  warning = $state<AsrErrorCode | undefined>();
  scriptView = $state<ScriptView>('as-read');
  punctuation = $state<PunctuationWidth>('as-read');
  /** What became of the dictionaries that the chosen script needs. */
  dictionary = $state.raw<'ready' | 'loading' | 'failed'>('ready');
  saved = $state.raw<SaveState>({ at: 'saved' });
  /** Set by changes that move the caret; whoever shows the text takes it. */
  caret = $state.raw<Caret | undefined>();
  #showWritten = $state.raw<ShowScript>(showAsWritten);
  readonly #display = $derived(new Display(this.#showWritten, this.scriptView, this.punctuation));
  /** The segments as they are shown, in order. */
  readonly shown: readonly Shown[] = $derived(this.segments.map((segment) => this.#display.show(segment)));
  readonly #origin: TranscriptDocument['origin'];
  #model: string;
  #device: string;
  readonly #save: Save;
  #saveTimer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #nextSegment = 1;

  constructor(document: TranscriptDocument, peaks: Uint8Array<ArrayBuffer> | undefined, save: Save) {
    this.id = document.id;
    this.createdAtMs = document.createdAtMs;
    this.segments = document.segments;
    this.title = document.title;
    this.ending = document.ending;
    this.durationSeconds = document.durationSeconds;
    this.damagedPlaces = document.damagedPlaces;
    this.punctuation = document.punctuation;
    this.peaks = peaks ?? new Uint8Array(0);
    this.#origin = document.origin;
    this.#model = document.model;
    this.#device = document.device;
    this.#save = save;
    void this.#showScript(document.scriptView);
  }

  get origin(): TranscriptDocument['origin'] {
    return this.#origin;
  }

  get document(): TranscriptDocument {
    const { id, title, createdAtMs, durationSeconds, segments, scriptView, punctuation, ending } = this;
    return {
      ...{ id, title, createdAtMs, durationSeconds, segments, scriptView, punctuation, ending },
      damagedPlaces: this.damagedPlaces,
      origin: this.#origin,
      model: this.#model,
      device: this.#device,
    };
  }

  get exportable(): Exportable {
    const { title, createdAtMs, durationSeconds, shown } = this;
    return { title, createdAtMs, durationSeconds, model: this.#model, device: this.#device, segments: shown };
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────

  /** Says what will read it. */
  readBy(model: string, device: string): void {
    this.#model = model;
    this.#device = device;
  }

  /** Takes an event of the engine. */
  apply(event: TranscriptEvent): void {
    switch (event.type) {
      case 'partial': {
        const { index, startSeconds, committed, tentative } = event;
        const others = this.live.filter((line) => line.index !== index);
        if (committed === '' && tentative === '') {
          this.live = others;
          break;
        }
        this.live = [...others, { index, startSeconds, committed, tentative }].sort(
          (a, b) => a.index - b.index,
        );
        break;
      }
      case 'final': {
        const { segment } = event;
        this.live = this.live.filter((line) => line.index > segment.index);
        if (segment.text !== '') {
          this.segments = [...this.segments, editable(segment, this.#newId())];
          this.#saveSoon(SAVE_WHILE_READING_MILLISECONDS);
        }
        break;
      }
      case 'progress':
        this.ending = { at: 'reading', doneSeconds: event.doneSeconds };
        this.durationSeconds = Math.max(this.durationSeconds, event.doneSeconds);
        break;
      case 'warning':
        this.warning = event.code;
        break;
      case 'end':
        this.durationSeconds = event.durationSeconds;
        break;
      case 'window':
      case 'trace':
        break;
    }
  }

  /** The reading is over, for better or worse. */
  end(ending: Ending): Promise<void> {
    this.live = [];
    this.ending = ending;
    return this.saveNow();
  }

  // ── editing ────────────────────────────────────────────────────────────────────────────────

  /** What was typed into a segment, as a whole. */
  edit(id: string, text: string): void {
    this.#change(id, (segment, shown) => (shown.text === text ? undefined : [this.#written(segment, text)]), {
      joinAs: `typing:${id}`,
    });
  }

  /** Cuts a segment in two; the caret goes to the start of the second. */
  split(id: string, offset: number): void {
    const newId = this.#newId();
    this.#change(id, (segment, shown) => {
      const text = shown.text;
      if (text.slice(0, offset).trim() === '' || text.slice(offset).trim() === '') return undefined;
      return splitAt(this.#written(segment, text), offset, newId);
    });
    if (this.segments.some((segment) => segment.id === newId)) this.caret = { segmentId: newId, offset: 0 };
  }

  /** Joins a segment with the one before it; the caret goes between them. */
  joinWithPrevious(id: string): void {
    const at = this.segments.findIndex((segment) => segment.id === id);
    const pair = this.segments.slice(at - 1, at + 1).map((segment) => this.#asWritten(segment));
    const [first, second] = pair;
    if (at < 1 || first === undefined || second === undefined) return;
    const removed = this.segments.slice(at - 1, at + 1);
    this.#splice([{ at: at - 1, removed, inserted: [joined(first, second)] }]);
    this.caret = { segmentId: first.id, offset: seamOf(first, second) };
  }

  joinWithNext(id: string): void {
    const next = this.segments[this.segments.findIndex((segment) => segment.id === id) + 1];
    if (next !== undefined) this.joinWithPrevious(next.id);
  }

  remove(id: string): void {
    this.#change(id, () => []);
  }

  /** Replaces the matches (in `shown`) all at once. */
  replace(matches: readonly Match[], replacement: string): void {
    const splices: Splice[] = [];
    for (const at of new Set(matches.map((match) => match.text))) {
      const [segment, shown] = [this.segments[at], this.shown[at]];
      if (segment === undefined || shown === undefined) continue;
      const here = matches.filter((match) => match.text === at);
      const inserted = [this.#written(segment, replaced(shown.text, here, replacement))];
      splices.push({ at, removed: [segment], inserted });
    }
    if (splices.length > 0) this.#splice(splices);
  }

  rename(title: string): void {
    const plain = title.trim();
    if (plain !== '' && plain !== this.title) this.#set('title', plain, (value) => (this.title = value));
  }

  chooseScript(view: ScriptView): void {
    if (view !== this.scriptView) this.#set('scriptView', view, (value) => void this.#showScript(value));
  }

  choosePunctuation(width: PunctuationWidth): void {
    if (width !== this.punctuation) this.#set('punctuation', width, (value) => (this.punctuation = value));
  }

  undo(): void {
    this.history.undo();
    this.#saveSoon(SAVE_AFTER_EDIT_MILLISECONDS);
  }

  redo(): void {
    this.history.redo();
    this.#saveSoon(SAVE_AFTER_EDIT_MILLISECONDS);
  }

  // ── looking ────────────────────────────────────────────────────────────────────────────────

  /** The segment that is heard at `seconds`, or the last one before it; -1 before the first. */
  indexAt(seconds: number): number {
    let [low, high] = [0, this.segments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.segments[middle]?.startSeconds ?? Infinity) <= seconds) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Text that is still being read, as it will be shown. */
  showLive(text: string): string {
    return this.#display.text(text);
  }

  /** When the character at `offset` of a shown segment is said, roughly. */
  secondsAt(id: string, offset: number): number {
    const at = this.segments.findIndex((segment) => segment.id === id);
    const [segment, shown] = [this.segments[at], this.shown[at]];
    return segment === undefined || shown === undefined
      ? 0
      : secondsAt({ ...segment, text: shown.text }, offset);
  }

  // ── saving ─────────────────────────────────────────────────────────────────────────────────

  /** Writes down what is not yet written. Never fails: `saved` says what became of it. */
  saveNow(): Promise<void> {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = undefined;
    this.saved = { at: 'unsaved' };
    this.#saving = this.#saving.then(async () => {
      const written = this.document;
      try {
        await this.#save(written, this.peaks);
        if (this.#saveTimer === undefined) this.saved = { at: 'saved' };
      } catch (error) {
        this.saved = { at: 'failed', code: isAsrError(error) ? error.code : 'bug' };
      }
    });
    return this.#saving;
  }

  /** Writes at once what waits to be written. */
  async flush(): Promise<void> {
    if (this.#saveTimer !== undefined) await this.saveNow();
    await this.#saving;
  }

  #saveSoon(milliseconds: number): void {
    this.saved = { at: 'unsaved' };
    // Typing puts it off; a reading, which never pauses, does not.
    if (milliseconds === SAVE_AFTER_EDIT_MILLISECONDS) clearTimeout(this.#saveTimer);
    else if (this.#saveTimer !== undefined) return;
    this.#saveTimer = setTimeout(() => void this.saveNow(), milliseconds);
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────

  #newId(): string {
    const taken = new Set(this.segments.map(({ id }) => id));
    while (taken.has(`s${this.#nextSegment}`)) this.#nextSegment++;
    return `s${this.#nextSegment++}`;
  }

  /** The segment with `text` written in the view that it is shown in. */
  #written(segment: EditableSegment, text: string): EditableSegment {
    const shown = this.#display.show(segment);
    // Where the view changed nothing, the text stays open to every other view.
    return rewritten(segment, shown, text, shown.text === segment.text ? segment.writtenIn : this.scriptView);
  }

  /** The segment with its shown text as its own. */
  #asWritten(segment: EditableSegment): EditableSegment {
    return this.#written(segment, this.#display.show(segment).text);
  }

  #change(
    id: string,
    change: (segment: EditableSegment, shown: Shown) => readonly EditableSegment[] | undefined,
    { joinAs }: { readonly joinAs?: string } = {},
  ): void {
    const at = this.segments.findIndex((segment) => segment.id === id);
    const [segment, shown] = [this.segments[at], this.shown[at]];
    if (segment === undefined || shown === undefined) return;
    const inserted = change(segment, shown);
    if (inserted !== undefined) this.#splice([{ at, removed: [segment], inserted }], joinAs);
  }

  /** Splices of one step touch different places, and none changes how many segments there are unless it is alone. */
  #splice(splices: readonly Splice[], joinAs?: string): void {
    const apply = (all: readonly Splice[]): void => {
      for (const splice of all) this.segments = applySplice(this.segments, splice);
    };
    this.history.do({
      apply: () => apply(splices),
      revert: () => apply(splices.map(inverse)),
      ...(joinAs !== undefined && { joinAs }),
    });
    this.#saveSoon(SAVE_AFTER_EDIT_MILLISECONDS);
  }

  #set<K extends 'title' | 'scriptView' | 'punctuation'>(
    key: K,
    value: this[K],
    put: (value: this[K]) => void,
  ): void {
    const before = this[key];
    this.history.do({ apply: () => put(value), revert: () => put(before) });
    this.#saveSoon(SAVE_AFTER_EDIT_MILLISECONDS);
  }

  async #showScript(view: ScriptView): Promise<void> {
    this.scriptView = view;
    this.dictionary = 'loading';
    try {
      const showScript = await loadScript(view, this.segments);
      if (this.scriptView !== view) return;
      this.#showWritten = showScript;
      this.dictionary = 'ready';
    } catch {
      // The network is gone and the dictionary was never here: the text stays as it was read.
      if (this.scriptView !== view) return;
      this.#showWritten = showAsWritten;
      this.scriptView = 'as-read';
      this.dictionary = 'failed';
    }
  }
}
