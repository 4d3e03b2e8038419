// Plays a recording. A thin layer over the browser's own audio element.

import { unreachable } from '../../errors.ts';

export type PlayerState =
  /** There is no recording, or none any more. */
  | { readonly at: 'empty' }
  | { readonly at: 'loading' }
  | { readonly at: 'ready' }
  /** This browser cannot play this kind of file. */
  | { readonly at: 'failed' };

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

export class Player {
  state = $state.raw<PlayerState>({ at: 'empty' });
  playing = $state(false);
  seconds = $state(0);
  /** As the browser measures it; 0 while unknown. */
  durationSeconds = $state(0);
  rate = $state(1);
  readonly #audio: HTMLAudioElement;
  #address: string | undefined;
  #stopAtSeconds = Infinity;
  #frame = 0;

  constructor(audio: HTMLAudioElement) {
    this.#audio = audio;
    audio.preload = 'metadata';
    audio.addEventListener('loadedmetadata', () => this.#loaded());
    audio.addEventListener('error', () => this.#address && (this.state = { at: 'failed' }));
    audio.addEventListener('play', () => this.#follow());
    audio.addEventListener('pause', () => this.#rest());
    audio.addEventListener('seeked', () => (this.seconds = audio.currentTime));
  }

  /** Takes a recording, or none. */
  load(sound: Blob | undefined): void {
    this.#audio.pause();
    if (this.#address !== undefined) URL.revokeObjectURL(this.#address);
    this.#address = undefined;
    this.seconds = 0;
    this.durationSeconds = 0;
    if (sound === undefined) {
      this.#audio.removeAttribute('src');
      this.state = { at: 'empty' };
      return;
    }
    this.#address = URL.createObjectURL(sound);
    this.state = { at: 'loading' };
    this.#audio.src = this.#address;
  }

  get canPlay(): boolean {
    switch (this.state.at) {
      case 'loading':
      case 'ready':
        return true;
      case 'empty':
      case 'failed':
        return false;
      default:
        return unreachable(this.state);
    }
  }

  /** Plays from `fromSeconds` (or from here) to `toSeconds` (or to the end). */
  play(fromSeconds?: number, toSeconds = Infinity): void {
    if (!this.canPlay) return;
    if (fromSeconds !== undefined) this.seek(fromSeconds);
    this.#stopAtSeconds = toSeconds;
    this.#audio.playbackRate = this.rate;
    // Refused when another call came in between, or when the browser wants a click first.
    this.#audio.play().catch(() => this.#rest());
  }

  pause(): void {
    this.#audio.pause();
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(seconds: number): void {
    const end = this.durationSeconds > 0 ? this.durationSeconds : Infinity;
    this.seconds = Math.min(end, Math.max(0, seconds));
    this.#audio.currentTime = this.seconds;
    this.#stopAtSeconds = Infinity;
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.#audio.playbackRate = rate;
  }

  #loaded(): void {
    const { duration } = this.#audio;
    this.durationSeconds = Number.isFinite(duration) ? duration : 0;
    this.state = { at: 'ready' };
    if (this.seconds > 0) this.#audio.currentTime = this.seconds;
  }

  #follow(): void {
    this.playing = true;
    cancelAnimationFrame(this.#frame);
    const look = (): void => {
      this.seconds = this.#audio.currentTime;
      if (this.seconds >= this.#stopAtSeconds) this.#audio.pause();
      else if (this.playing) this.#frame = requestAnimationFrame(look);
    };
    look();
  }

  #rest(): void {
    this.playing = false;
    this.seconds = this.#audio.currentTime;
    this.#stopAtSeconds = Infinity;
    cancelAnimationFrame(this.#frame);
  }
}
