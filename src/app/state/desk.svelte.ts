// The transcript on the table: what is being edited, searched and heard.

import type { Doubt } from '../document/transcript.ts';
import { Finder } from './find.svelte.ts';
import type { Player } from './player.svelte.ts';
import type { Transcript } from './transcript.svelte.ts';

/** An unsure word: which segment (by place), and where in it. */
export interface DoubtPlace {
  readonly segment: number;
  readonly doubt: Doubt;
}

/** A little is heard around an unsure word. */
const AROUND_SECONDS = 0.8;

export class Desk {
  readonly transcript: Transcript;
  readonly player: Player;
  readonly finder: Finder;
  /** The segment whose text is being edited. */
  editingId = $state<string | undefined>();
  /** The segment that Tab and the arrows reach. */
  reachableId = $state<string | undefined>();
  /** The segment that is heard; -1 before the first. */
  readonly heard: number = $derived.by(() =>
    this.player.canPlay && (this.player.playing || this.player.seconds > 0)
      ? this.transcript.indexAt(this.player.seconds)
      : -1,
  );
  readonly doubts: readonly DoubtPlace[] = $derived.by(() =>
    this.transcript.shown.flatMap(({ doubts }, segment) => doubts.map((doubt) => ({ segment, doubt }))),
  );
  /** The unsure word that was gone to last. */
  doubt = $state.raw<DoubtPlace | undefined>();

  constructor(transcript: Transcript, player: Player) {
    this.transcript = transcript;
    this.player = player;
    this.finder = new Finder(transcript);
  }

  edit(id: string, offset = 0): void {
    this.reachableId = id;
    this.editingId = id;
    this.transcript.caret = { segmentId: id, offset };
  }

  /** Moves the focus `by` segments; false at the ends. */
  move(id: string, by: 1 | -1): boolean {
    const { shown } = this.transcript;
    const next = shown[shown.findIndex((segment) => segment.id === id) + by];
    if (next === undefined) return false;
    this.reachableId = next.id;
    return true;
  }

  /** Goes to the next unsure word, or the previous, and lets it be heard. */
  stepDoubt(by: 1 | -1): void {
    const { doubts } = this;
    if (doubts.length === 0) return;
    const last = this.doubt;
    const at = last === undefined ? -1 : doubts.findIndex((place) => isSame(place, last));
    const start = at < 0 && by < 0 ? 0 : at;
    this.doubt = doubts[(start + by + doubts.length) % doubts.length];
    const segment = this.transcript.shown[this.doubt?.segment ?? -1];
    if (this.doubt === undefined || segment === undefined) return;
    this.reachableId = segment.id;
    this.hearAround(segment.id, this.doubt.doubt.start, this.doubt.doubt.end);
  }

  /** Plays a stretch of a segment with a little before and after. */
  hearAround(id: string, start: number, end: number): void {
    const fromSeconds = Math.max(0, this.transcript.secondsAt(id, start) - AROUND_SECONDS);
    this.player.play(fromSeconds, this.transcript.secondsAt(id, end) + AROUND_SECONDS);
  }
}

function isSame(a: DoubtPlace, b: DoubtPlace): boolean {
  return a.segment === b.segment && a.doubt.start === b.doubt.start;
}
