// Opens a microphone, or the sound of a tab, and connects it:
//
//   device ─► AudioContext ─► capture.worklet ─┬─► the thread that reads   (PortAudio)
//                                              ├─► the thread that keeps   (journal.worker)
//                                              └─► levels, to here
//
// The browser's own processing is asked to stay out: it takes whispers for noise. The page sees levels only.

import { AsrError, isAbort } from '../../errors.ts';
import type { FromCapture, SoundPort, ToCapture } from '../../wire/capture-messages.ts';
import type { FromJournalThread, ToJournalThread } from '../../wire/journal-messages.ts';
import { PortAudio } from '../thread/port-audio.ts';
import { holdSession, Journal, type JournalSession, wavFile } from './journal.ts';

/** What browsers do to a microphone's sound unless they are asked not to. */
export const PROCESSINGS = ['echoCancellation', 'noiseSuppression', 'autoGainControl'] as const;
export type Processing = (typeof PROCESSINGS)[number];

export interface CaptureWish {
  readonly source: 'microphone' | 'tab';
  /** The browser's id of a microphone; without it, its default. */
  readonly deviceId?: string | undefined;
  /** Which of the browser's own processings to let in; none, unless the user wants them. */
  readonly processing: readonly Processing[];
  /** Lift quiet speech before it is read. */
  readonly gain: boolean;
  readonly title: string;
}

/** What the page brings: addresses and threads that its bundler knows. */
export interface CaptureParts {
  readonly workletUrl: string;
  readonly startJournal: () => Worker;
}

export interface CaptureLevel {
  readonly levelDb: number;
  readonly peak: number;
  readonly gainDb: number;
  readonly speech: boolean;
}

export interface CaptureListener {
  onLevel(level: CaptureLevel): void;
  /** Unplugged, or sharing was ended; what was heard is still read. */
  onLost(): void;
  /** The system gives silence in place of sound, or sound again. */
  onMuted(muted: boolean): void;
  /** The recording can no longer be kept on disk; text still comes. */
  onUnkept(): void;
}

/** The model that ships, and every GLM-ASR, has so many mel bands; frames of another model are made later. */
const MEL_BINS = 128;
/** Browsers that will let sound run do so at once. */
const WAKE_MILLISECONDS = 3000;
/** An audio thread that is alive answers at once. */
const STOP_MILLISECONDS = 1500;

/** Fails with `microphone-…`. */
export async function openCapture(
  wish: CaptureWish,
  parts: CaptureParts,
  listener: CaptureListener,
): Promise<Capture> {
  const stream = await openStream(wish);
  let context: AudioContext | undefined;
  try {
    context = contextFor(stream);
    await context.audioWorklet.addModule(parts.workletUrl);
    await wake(context);
    return await Capture.start(stream, context, wish, parts, listener);
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    await context?.close();
    throw error;
  }
}

export class Capture {
  /** As the browser calls it. */
  readonly name: string;
  readonly sessionId: string;
  /** What is heard, for an engine. */
  readonly audio: PortAudio;
  /** Processings that the browser does against our wish, and those of which it does not say. */
  readonly imposed: readonly Processing[];
  readonly untold: readonly Processing[];
  readonly #stream: MediaStream;
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #keeper: Worker;
  readonly #kept: Promise<readonly Int16Array<ArrayBuffer>[]>;
  readonly #journal = new Journal();
  readonly #release: () => void;
  #stopped = false;
  #heardStop = (): void => {};
  /** What the device gave, and what became of it at 16 kHz, as far as the audio thread has told. */
  counts = { deviceSamples: 0, recordedSamples: 0, sampleRate: 0 };

  static async start(
    stream: MediaStream,
    context: AudioContext,
    wish: CaptureWish,
    parts: CaptureParts,
    listener: CaptureListener,
  ): Promise<Capture> {
    const session: JournalSession = {
      id: crypto.randomUUID(),
      title: wish.title,
      startedAtMs: Date.now(),
    };
    const release = holdSession(session.id);
    // Without storage there is still text: the recording is then held in memory.
    await new Journal().begin(session).catch(() => listener.onUnkept());
    return new Capture(stream, context, wish, parts, listener, session.id, release);
  }

  private constructor(
    stream: MediaStream,
    context: AudioContext,
    wish: CaptureWish,
    parts: CaptureParts,
    listener: CaptureListener,
    sessionId: string,
    release: () => void,
  ) {
    this.#stream = stream;
    this.#context = context;
    this.#release = release;
    this.sessionId = sessionId;
    const [track] = stream.getAudioTracks();
    this.name = track?.label ?? '';
    const settings = wish.source === 'microphone' ? (track?.getSettings() ?? {}) : undefined;
    const unwanted = settings === undefined ? [] : PROCESSINGS.filter((p) => !wish.processing.includes(p));
    this.imposed = unwanted.filter((processing) => isOn(settings?.[processing]));
    this.untold = unwanted.filter((processing) => settings?.[processing] === undefined);

    const [sound, journal] = [new MessageChannel(), new MessageChannel()];
    this.audio = new PortAudio(asSoundPort(sound.port2));
    this.#keeper = parts.startJournal();
    this.#kept = this.#listenToKeeper(listener);
    this.#keeper.postMessage(
      { type: 'keep', id: sessionId, port: asSoundPort(journal.port2) } satisfies ToJournalThread,
      [journal.port2],
    );
    this.#node = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 1, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }: MessageEvent<FromCapture>) => this.#hear(data, listener);
    this.#tell(
      {
        type: 'begin',
        sound: asSoundPort(sound.port1),
        journal: asSoundPort(journal.port1),
        gain: wish.gain,
        melBins: MEL_BINS,
      },
      [sound.port1, journal.port1],
    );
    // Its output is silence, but only what leads somewhere is sure to run.
    context.createMediaStreamSource(stream).connect(this.#node).connect(context.destination);
    track?.addEventListener('ended', () => listener.onLost());
    track?.addEventListener('mute', () => listener.onMuted(true));
    track?.addEventListener('unmute', () => listener.onMuted(false));
    // A call that comes in, a laptop that wakes: sound goes on where the browser allows it.
    context.addEventListener('statechange', () => {
      if (!this.#stopped && context.state !== 'running') void context.resume();
    });
  }

  pause(): void {
    this.#tell({ type: 'pause' });
  }

  resume(): void {
    this.#tell({ type: 'resume' });
  }

  /** Hears no more. What was heard is still read and kept. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const said = new Promise<void>((resolve) => (this.#heardStop = resolve));
    this.#tell({ type: 'stop' });
    const answered = await within(said, STOP_MILLISECONDS);
    if (!answered) this.audio.end();
    for (const track of this.#stream.getTracks()) track.stop();
    await this.#context.close();
  }

  /** Ties the recording to the transcript that its text goes to. */
  tie(transcriptId: string): Promise<void> {
    return this.#journal.tie(this.sessionId, transcriptId).catch(() => undefined); // without storage: nothing to tie
  }

  /** The recording, unaltered, as a WAV file. Call it after `stop`. */
  async sound(): Promise<Blob> {
    const rest = (await within(this.#kept, STOP_MILLISECONDS)) ? await this.#kept : [];
    // Without storage, all there is is what is held in memory.
    return this.#journal.sound(this.sessionId, rest).catch(() => wavFile(rest));
  }

  /** The transcript is safe: the journal may forget the recording. */
  async forget(): Promise<void> {
    this.#keeper.terminate();
    await this.#journal.remove(this.sessionId).catch(() => undefined); // without storage: nothing to forget
    this.#release();
  }

  #tell(message: ToCapture, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(message, transfer);
  }

  #hear(message: FromCapture, listener: CaptureListener): void {
    if (message.type === 'stopped') {
      this.counts = { ...this.counts, recordedSamples: message.recordedSamples };
      return this.#heardStop();
    }
    const { deviceSamples, recordedSamples } = message;
    this.counts = { deviceSamples, recordedSamples, sampleRate: this.#context.sampleRate };
    listener.onLevel(message);
  }

  #listenToKeeper(listener: CaptureListener): Promise<readonly Int16Array<ArrayBuffer>[]> {
    return new Promise((resolve) => {
      this.#keeper.onmessage = ({ data }: MessageEvent<FromJournalThread>) => {
        if (data.type === 'unkept') listener.onUnkept();
        else if (data.type === 'ended') resolve(data.rest);
      };
      this.#keeper.onerror = () => listener.onUnkept();
    });
  }
}

/** Microphones that the browser knows; without names until it has been allowed to use one. */
export async function microphones(): Promise<{ readonly deviceId: string; readonly name: string }[]> {
  const devices = await mediaDevices().enumerateDevices();
  return devices
    .filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '')
    .map(({ deviceId, label }) => ({ deviceId, name: label }));
}

/** Whether this browser can give the sound of a tab. */
export function canHearTabs(): boolean {
  return 'mediaDevices' in navigator && 'getDisplayMedia' in navigator.mediaDevices;
}

/** Processings that this browser offers no switch for. */
export function unswitchable(): Processing[] {
  const supported = navigator.mediaDevices?.getSupportedConstraints() ?? {};
  return PROCESSINGS.filter((processing) => supported[processing] !== true);
}

async function openStream({ source, deviceId, processing }: CaptureWish): Promise<MediaStream> {
  const wanted = Object.fromEntries(PROCESSINGS.map((p) => [p, processing.includes(p)]));
  try {
    if (source === 'tab') return await openTab();
    return await mediaDevices().getUserMedia({
      audio: { ...wanted, channelCount: 1, ...(deviceId && { deviceId: { exact: deviceId } }) },
    });
  } catch (cause) {
    // The microphone that was chosen is not plugged in: the default one will do.
    if (deviceId && source === 'microphone' && nameOf(cause) === 'OverconstrainedError')
      return openStream({ source, processing, deviceId: undefined, gain: true, title: '' });
    throw explained(cause, source);
  }
}

/** Browsers share the sound of a tab only together with its picture, which is let go at once. */
async function openTab(): Promise<MediaStream> {
  const off = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const shared = await mediaDevices().getDisplayMedia({ video: true, audio: off });
  if (shared.getAudioTracks().length === 0) {
    for (const track of shared.getTracks()) track.stop();
    throw new AsrError('microphone-missing', 'what was shared has no sound; share a tab with its sound');
  }
  return shared;
}

function contextFor(stream: MediaStream): AudioContext {
  if (!('AudioWorklet' in globalThis))
    throw new AsrError('microphone-unavailable', 'this browser has no audio thread for pages');
  const sampleRate = stream.getAudioTracks()[0]?.getSettings().sampleRate;
  try {
    // The device's own rate: our resampler is better than the one in between.
    return new AudioContext({ latencyHint: 'balanced', ...(sampleRate && { sampleRate }) });
  } catch {
    return new AudioContext(); // a rate that the output cannot have
  }
}

/** Contexts sleep until the user has touched the page. */
async function wake(context: AudioContext): Promise<void> {
  if (context.state === 'running') return;
  await within(context.resume(), WAKE_MILLISECONDS);
  if ((context.state as string) !== 'running')
    throw new AsrError('microphone-asleep', 'the browser does not let sound run');
}

function mediaDevices(): MediaDevices {
  if (!('mediaDevices' in navigator))
    throw new AsrError('microphone-unavailable', 'this page is not open in a secure context');
  return navigator.mediaDevices;
}

/** Says in our words why the browser refuses. */
function explained(cause: unknown, source: CaptureWish['source']): unknown {
  const name = nameOf(cause);
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      // Closing the picker is a change of mind, not a refusal.
      if (source === 'tab') return new DOMException('Nothing was shared', 'AbortError');
      return new AsrError('microphone-denied', 'the browser or the system refuses the microphone', { cause });
    case 'NotFoundError':
    case 'OverconstrainedError':
      return new AsrError('microphone-missing', 'there is no such microphone', { cause });
    case 'NotReadableError':
    case 'AbortError':
      if (isAbort(cause) && source === 'tab') return cause;
      return new AsrError('microphone-busy', 'the microphone cannot be read', { cause });
    default:
      return cause;
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

/** A setting that is on; browsers say which kind of echo cancellation by a word. */
function isOn(setting: unknown): boolean {
  return setting !== undefined && setting !== false;
}

/** A port by what we use of it. */
function asSoundPort(port: MessagePort): SoundPort {
  return port as unknown as SoundPort;
}

/** Whether `work` is done within so long. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), milliseconds)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
