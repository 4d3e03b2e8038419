// Recording: the microphone's state as the page shows it. How sound is captured and reaches the engine is
// behind `Microphone`; the page never touches samples.

import type { Engine } from '../../engine/engine.ts';
import type { TranscriptEvent } from '../../engine/events.ts';
import { isAbort } from '../../errors.ts';
import type { EngineRoom } from './engine-room.svelte.ts';
import { type FailureCode, failureOf } from './failure.ts';
import type { Library } from './library.svelte.ts';
import type { Queue } from './queue.svelte.ts';
import type { Transcript } from './transcript.svelte.ts';

/** What is heard, a few times a second. */
export interface SoundLevel {
  /** Of the sound as it comes in, in dBFS. */
  readonly levelDb: number;
  /** By how much it is lifted before it is read. */
  readonly gainDb: number;
  readonly clipping: boolean;
}

/** A microphone that is open. */
export interface OpenMicrophone {
  /** As the browser calls it. */
  readonly name: string;
  /** What is read of what is heard. Ends when all is read after `stop`; sound flows from the call on. */
  events(engine: Engine, signal: AbortSignal): AsyncGenerator<TranscriptEvent, void>;
  pause(): void;
  resume(): void;
  /** Hears no more; what was heard is still read. */
  stop(): void;
  /** The recording so far, unaltered. */
  sound(): Promise<Blob | undefined>;
}

export interface MicrophoneListener {
  onLevel(level: SoundLevel): void;
  /** Unplugged, or taken away by the system; what was heard is still read. */
  onLost(): void;
}

/** Asks for the microphone and opens it. Fails with what the user can act on. */
export type OpenMicrophoneDoor = (listener: MicrophoneListener) => Promise<OpenMicrophone>;

export type RecorderState =
  | { readonly at: 'idle' }
  /** The browser asks the user, or the engine loads. */
  | { readonly at: 'asking' }
  | { readonly at: 'listening'; readonly transcript: Transcript; readonly name: string }
  | { readonly at: 'paused'; readonly transcript: Transcript; readonly name: string }
  | { readonly at: 'finishing'; readonly transcript: Transcript }
  | { readonly at: 'failed'; readonly code: FailureCode; readonly detail: string };

const SILENCE: SoundLevel = { levelDb: -100, gainDb: 0, clipping: false };

export class Recorder {
  state = $state.raw<RecorderState>({ at: 'idle' });
  level = $state.raw<SoundLevel>(SILENCE);
  /** Recorded so far, without pauses. */
  elapsedSeconds = $state(0);
  /** False where nothing opens a microphone: the page then offers no recording. */
  readonly available: boolean;
  readonly #open: OpenMicrophoneDoor | undefined;
  readonly #queue: Queue;
  readonly #library: Library;
  readonly #room: EngineRoom;
  #microphone: OpenMicrophone | undefined;
  #abort = new AbortController();
  #ticking: ReturnType<typeof setInterval> | undefined;

  constructor(open: OpenMicrophoneDoor | undefined, queue: Queue, library: Library, room: EngineRoom) {
    this.available = open !== undefined;
    this.#open = open;
    this.#queue = queue;
    this.#library = library;
    this.#room = room;
  }

  /** Settles when the recording under way is over and read. */
  finished: Promise<void> = Promise.resolve();

  /** The failure has been seen. */
  dismiss(): void {
    if (this.state.at === 'failed') this.state = { at: 'idle' };
  }

  get busy(): boolean {
    return ['asking', 'listening', 'paused', 'finishing'].includes(this.state.at);
  }

  /** Records until `stop`, into a new transcript with this title. Never fails: `state` tells. */
  start(title: string): Promise<void> {
    if (this.#open === undefined || this.busy) return this.finished;
    return (this.finished = this.#run(this.#open, title));
  }

  async #run(open: OpenMicrophoneDoor, title: string): Promise<void> {
    this.state = { at: 'asking' };
    this.elapsedSeconds = 0;
    this.#abort = new AbortController();
    try {
      // The microphone first: the browser only asks right after a click.
      const microphone = await open({
        onLevel: (level) => (this.level = level),
        onLost: () => this.stop(),
      });
      this.#microphone = microphone;
      await this.#queue.standAside(() => this.#record(microphone, title, this.#abort.signal));
      this.state = { at: 'idle' };
    } catch (error) {
      this.state = isAbort(error) ? { at: 'idle' } : { at: 'failed', ...failureOf(error) };
    } finally {
      this.#stopTicking();
      this.#microphone = undefined;
      this.level = SILENCE;
    }
  }

  pause(): void {
    if (this.state.at !== 'listening') return;
    this.#microphone?.pause();
    this.#stopTicking();
    this.state = { ...this.state, at: 'paused' };
  }

  resume(): void {
    if (this.state.at !== 'paused') return;
    this.#microphone?.resume();
    this.#startTicking();
    this.state = { ...this.state, at: 'listening' };
  }

  /** No more sound; the rest is read. */
  stop(): void {
    const { state } = this;
    if (state.at !== 'listening' && state.at !== 'paused') return;
    this.#stopTicking();
    this.state = { at: 'finishing', transcript: state.transcript };
    this.#microphone?.stop();
  }

  async #record(microphone: OpenMicrophone, title: string, signal: AbortSignal): Promise<void> {
    const engine = await this.#room.open();
    const transcript = this.#library.begin({ from: 'microphone' }, title, undefined);
    transcript.readBy(engine.info.modelName, engine.info.device);
    this.state = { at: 'listening', transcript, name: microphone.name };
    this.#startTicking();
    let doneSeconds = 0;
    try {
      for await (const event of microphone.events(engine, signal)) {
        transcript.apply(event);
        if (event.type === 'progress') doneSeconds = event.doneSeconds;
      }
      this.#library.lend(transcript.id, await microphone.sound());
      await transcript.end({ at: 'whole' });
    } catch (error) {
      this.#library.lend(transcript.id, await microphone.sound());
      await transcript.end({ at: 'failed', doneSeconds, code: failureOf(error).code });
      throw error;
    }
  }

  #startTicking(): void {
    const startMs = performance.now() - this.elapsedSeconds * 1000;
    this.#ticking = setInterval(() => (this.elapsedSeconds = (performance.now() - startMs) / 1000), 200);
  }

  #stopTicking(): void {
    clearInterval(this.#ticking);
  }
}
