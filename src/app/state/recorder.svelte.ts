// Recording: the microphone's state as the page shows it. How sound is captured and reaches the engine is
// behind `Microphone`; the page never touches samples.

import { DEFAULT_OPTIONS, type TranscriptEvent } from '../../engine/events.ts';
import { isAbort } from '../../errors.ts';
import { orAbort } from '../../platform/install/waiting.ts';
import type { Processing } from '../../platform/web/capture.ts';
import type { AudioBlock } from '../../signal/units.ts';
import { peaksOf } from '../document/peaks.ts';
import { withSpokenSigns } from '../document/spoken-signs.ts';
import type { EngineRoom } from './engine-room.svelte.ts';
import { type FailureCode, failureOf } from './failure.ts';
import type { Library } from './library.svelte.ts';
import type { Queue } from './queue.svelte.ts';
import type { Settings } from './settings.svelte.ts';
import { type SoundAdvice, SoundAdvisor } from './sound-advice.ts';
import type { Transcript } from './transcript.svelte.ts';

/** What is heard, a few times a second. */
export interface SoundLevel {
  /** Of the sound as it comes in, in dBFS. */
  readonly levelDb: number;
  /** Of the loudest sample; 1 is all that the device can say. */
  readonly peak: number;
  /** By how much it is lifted before it is read. */
  readonly gainDb: number;
  readonly speech: boolean;
}

/** A microphone that is open. */
export interface OpenMicrophone {
  /** As the browser calls it. */
  readonly name: string;
  /** Processings that the browser does although they were not wanted, and those of which it does not say. */
  readonly imposed: readonly Processing[];
  readonly untold: readonly Processing[];
  /** What is heard, for an engine. Sound flows from the opening on, whoever reads it. */
  readonly audio: AsyncIterable<AudioBlock>;
  pause(): void;
  resume(): void;
  /** Hears no more; what was heard is still read. */
  stop(): Promise<void>;
  /** Ties the recording to the transcript that its text goes to. */
  tie(transcriptId: string): Promise<void>;
  /** The recording, unaltered. After `stop`. */
  sound(): Promise<Blob>;
  /** Transcript and recording are safe, or not wanted. */
  forget(): Promise<void>;
}

export interface MicrophoneListener {
  onLevel(level: SoundLevel): void;
  /** Unplugged, or taken away by the system; what was heard is still read. */
  onLost(): void;
  /** The system gives silence in place of sound, or sound again. */
  onMuted(muted: boolean): void;
  /** The recording can no longer be kept on disk. */
  onUnkept(): void;
}

/** Where sound comes from. */
export type SoundSource = 'microphone' | 'tab';

/** Asks for the microphone, or for a tab's sound, and opens it. Fails with what the user can act on. */
export type OpenMicrophoneDoor = (
  source: SoundSource,
  title: string,
  listener: MicrophoneListener,
) => Promise<OpenMicrophone>;

export type RecorderState =
  | { readonly at: 'idle' }
  /** The browser asks the user, or the engine loads. */
  | { readonly at: 'asking' }
  | { readonly at: 'listening'; readonly transcript: Transcript; readonly name: string }
  | { readonly at: 'paused'; readonly transcript: Transcript; readonly name: string }
  | { readonly at: 'finishing'; readonly transcript: Transcript }
  | { readonly at: 'failed'; readonly code: FailureCode; readonly detail: string };

const LIVE_OPTIONS = { ...DEFAULT_OPTIONS, live: true };
const SILENCE: SoundLevel = { levelDb: -100, peak: 0, gainDb: 0, speech: false };

export class Recorder {
  state = $state.raw<RecorderState>({ at: 'idle' });
  level = $state.raw<SoundLevel>(SILENCE);
  advice = $state.raw<SoundAdvice>('none');
  /** The system has muted the microphone. */
  muted = $state(false);
  /** False once the disk takes no more: the recording is then in memory only. */
  kept = $state(true);
  /** By how much text runs behind speech. */
  behindSeconds = $state(0);
  /** What the browser does to the sound against our wish, or may do. */
  imposed = $state.raw<readonly Processing[]>([]);
  untold = $state.raw<readonly Processing[]>([]);
  /** Recorded so far, without pauses. */
  elapsedSeconds = $state(0);
  /** False where nothing opens a microphone: the page then offers no recording. */
  readonly available: boolean;
  readonly #open: OpenMicrophoneDoor | undefined;
  readonly #queue: Queue;
  readonly #library: Library;
  readonly #room: EngineRoom;
  readonly #settings: Settings;
  #microphone: OpenMicrophone | undefined;
  #abort = new AbortController();
  #ticking: ReturnType<typeof setInterval> | undefined;

  constructor(
    open: OpenMicrophoneDoor | undefined,
    queue: Queue,
    library: Library,
    room: EngineRoom,
    settings: Settings,
  ) {
    this.#settings = settings;
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
  start(title: string, source: SoundSource = 'microphone'): Promise<void> {
    if (this.#open === undefined || this.busy) return this.finished;
    return (this.finished = this.#run(this.#open, title, source));
  }

  async #run(open: OpenMicrophoneDoor, title: string, source: SoundSource): Promise<void> {
    this.state = { at: 'asking' };
    this.elapsedSeconds = 0;
    this.behindSeconds = 0;
    this.muted = false;
    this.kept = true;
    const advisor = new SoundAdvisor();
    this.#abort = new AbortController();
    try {
      // The microphone first: the browser only asks right after a click.
      const microphone = await open(source, title, {
        onLevel: (level) => {
          this.level = level;
          this.advice = advisor.hear(level, performance.now());
        },
        onLost: () => this.stop(),
        onMuted: (muted) => (this.muted = muted),
        onUnkept: () => (this.kept = false),
      });
      this.#microphone = microphone;
      this.imposed = microphone.imposed;
      this.untold = microphone.untold;
      // Speaking may begin at once; the engine catches up when it is loaded.
      const transcript = this.#library.begin({ from: 'microphone' }, title, undefined);
      void microphone.tie(transcript.id);
      this.state = { at: 'listening', transcript, name: microphone.name };
      this.#startTicking();
      await this.#queue.standAside(() => this.#record(microphone, transcript, this.#abort.signal));
      this.state = { at: 'idle' };
    } catch (error) {
      this.state = isAbort(error) ? { at: 'idle' } : { at: 'failed', ...failureOf(error) };
    } finally {
      this.#stopTicking();
      this.#microphone = undefined;
      this.level = SILENCE;
      this.advice = 'none';
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
    void this.#microphone?.stop();
  }

  /** Reads no further. What was read stays, and the recording can be finished later. */
  cancel(): void {
    if (this.state.at === 'finishing') this.#abort.abort();
  }

  async #record(microphone: OpenMicrophone, transcript: Transcript, signal: AbortSignal): Promise<void> {
    let doneSeconds = 0;
    try {
      const engine = await orAbort(this.#room.open(), signal);
      transcript.readBy(engine.info.modelName, engine.info.device);
      for await (const event of engine.transcribe(microphone.audio, LIVE_OPTIONS, signal)) {
        transcript.apply(this.#settings.spokenPunctuation ? withSigns(event) : event);
        if (event.type === 'progress') doneSeconds = event.doneSeconds;
        if (event.type === 'window') this.behindSeconds = Math.max(0, event.heardSeconds - event.endSeconds);
      }
      await this.#keep(microphone, transcript);
      await transcript.end({ at: 'whole' });
      await microphone.forget();
    } catch (error) {
      await microphone.stop();
      // What was heard stays in the journal, to be finished later; what was read stays in the library.
      await this.#keep(microphone, transcript);
      const stopped = signal.aborted || isAbort(error);
      await transcript.end(
        stopped ? { at: 'stopped', doneSeconds } : { at: 'failed', doneSeconds, code: failureOf(error).code },
      );
      throw error;
    }
  }

  /** Gives the recording to the library. */
  async #keep(microphone: OpenMicrophone, transcript: Transcript): Promise<void> {
    const sound = await microphone.sound();
    this.#library.lend(transcript.id, sound);
    transcript.peaks = await peaksOf(sound);
  }

  #startTicking(): void {
    const startMs = performance.now() - this.elapsedSeconds * 1000;
    this.#ticking = setInterval(() => (this.elapsedSeconds = (performance.now() - startMs) / 1000), 200);
  }

  #stopTicking(): void {
    clearInterval(this.#ticking);
  }
}

/** The event with spoken signs written as signs. Its tokens no longer say where words are, so they go. */
function withSigns(event: TranscriptEvent): TranscriptEvent {
  if (event.type !== 'final') return event;
  const text = withSpokenSigns(event.segment.text);
  return text === event.segment.text ? event : { ...event, segment: { ...event.segment, text, tokens: [] } };
}
