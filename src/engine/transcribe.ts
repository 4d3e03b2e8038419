// START HERE. The main flow: audio in, transcript events out; the same for a file, a microphone and an
// upload. Everything slow or stateful is a guest from below.

import type { VoiceModel } from '../ports.ts';
import { type AudioBlock, SAMPLE_RATE } from '../signal/units.ts';
import type { TranscribeOptions, TranscriptEvent } from './events.ts';
import { Draft } from './draft.ts';
import { Ear } from './ear.ts';
import { type ModelHolder, type Recognizer, readOpen, recognize } from './recognize.ts';
import type { AudioWindow } from './segmenter.ts';
import { SecondLook } from './second-look.ts';
import { Stopwatch } from './stopwatch.ts';
import { Tracer } from './tracer.ts';
import { WindowMaker, windowsOf } from './windows.ts';

/** A growing window is read again after this much more speech. */
const REVISION_SAMPLES = 0.25 * SAMPLE_RATE;

/** What has come in of the recording. */
interface Heard {
  samples: number;
}

/** What reads, and what tells voices from other sounds, where there is such. */
export interface Machine {
  readonly holder: ModelHolder;
  readonly voice?: VoiceModel | undefined;
}

/** Reads one recording; see `Engine.transcribe` for the promise. */
export async function* transcribe(
  { holder, voice }: Machine,
  audio: AsyncIterable<AudioBlock>,
  options: TranscribeOptions,
  signal: AbortSignal,
): AsyncGenerator<TranscriptEvent, void> {
  const trace = options.trace ? new Tracer() : undefined;
  const to: Recognizer = { holder, options, watch: new Stopwatch(), signal, nextIndex: 0, trace };
  const looksTwice = voice !== undefined && options.voiceDetection && !options.exact;
  const look = looksTwice ? new SecondLook(voice) : undefined;
  const events = warned(eventsOf(to, audio, look), look);
  yield* trace === undefined ? events : traced(events, trace);
}

async function* eventsOf(
  to: Recognizer,
  audio: AsyncIterable<AudioBlock>,
  look: SecondLook | undefined,
): AsyncGenerator<TranscriptEvent, void> {
  const { options, signal, trace } = to;
  const heard = { samples: 0 };
  const counted = measured(audio, heard, signal);
  if (options.live) {
    yield* listen(to, counted, heard, look);
  } else {
    for await (const window of windowsOf(counted, options, trace)) {
      const spoken = await judged(window, look);
      if (spoken !== undefined) yield* readClosed(to, spoken, heard);
      yield progressTo(window, heard);
    }
  }
  yield { type: 'end', durationSeconds: heard.samples / SAMPLE_RATE, timings: to.watch.read() };
}

/** Says once that the second look has failed. */
async function* warned(
  events: AsyncIterable<TranscriptEvent>,
  look: SecondLook | undefined,
): AsyncGenerator<TranscriptEvent, void> {
  let told = false;
  for await (const event of events) {
    if (!told && look?.failure !== undefined) {
      const { code, message } = look.failure;
      told = true;
      yield { type: 'warning', code, message };
    }
    yield event;
  }
}

/** Before each event, what led to it. */
async function* traced(
  events: AsyncIterable<TranscriptEvent>,
  trace: Tracer,
): AsyncGenerator<TranscriptEvent, void> {
  for await (const event of events) {
    yield* trace.take();
    yield event;
  }
}

/**
 * Live: closed windows first and in order; between them the growing one, again and again. When readings
 * take longer than speech, revisions are skipped, never samples.
 */
async function* listen(
  to: Recognizer,
  audio: AsyncIterable<AudioBlock>,
  heard: Heard,
  look: SecondLook | undefined,
): AsyncGenerator<TranscriptEvent, void> {
  const ear = new Ear(audio, new WindowMaker(to.options, to.trace));
  const draft = new Draft();
  let revisedEnd = 0;
  try {
    for (;;) {
      to.signal.throwIfAborted();
      const closed = ear.takeClosed();
      const open = closed === undefined ? ear.open() : undefined;
      if (closed !== undefined) {
        const spoken = await judged(closed, look);
        if (spoken !== undefined) yield* readClosed(to, spoken, heard, draft.ids);
        else if (draft.ids.length > 0) yield takenBack(to, closed);
        yield progressTo(closed, heard);
        draft.clear();
      } else if (open !== undefined && endOf(open) - revisedEnd >= REVISION_SAMPLES) {
        revisedEnd = endOf(open);
        const spoken = await judged(open, look);
        if (spoken !== undefined) yield* reviseOpen(to, spoken, heard, draft);
      } else if (ear.ended) {
        if (ear.failure !== undefined) throw ear.failure.error;
        return;
      } else {
        await ear.changed();
      }
    }
  } finally {
    ear.close();
  }
}

async function* readClosed(
  to: Recognizer,
  window: AudioWindow,
  heard: Heard,
  draft: readonly number[] = [],
): AsyncGenerator<TranscriptEvent, void> {
  yield windowEvent(window, heard);
  yield* recognize(to, window, { draft });
}

/** What is left of the window after a second look, where one is taken. */
async function judged(window: AudioWindow, look: SecondLook | undefined): Promise<AudioWindow | undefined> {
  return look === undefined ? window : look.judge(window);
}

function progressTo(window: AudioWindow, heard: Heard): TranscriptEvent {
  return {
    type: 'progress',
    doneSeconds: endOf(window) / SAMPLE_RATE,
    heardSeconds: heard.samples / SAMPLE_RATE,
  };
}

/** The window seemed to be speech while it grew, and as a whole is none. */
function takenBack(to: Recognizer, window: AudioWindow): TranscriptEvent {
  const { startSeconds, endSeconds } = windowEvent(window, { samples: 0 });
  return { type: 'partial', index: to.nextIndex, startSeconds, endSeconds, committed: '', tentative: '' };
}

/** One more reading of the growing window, with the last one as its draft. */
async function* reviseOpen(
  to: Recognizer,
  window: AudioWindow,
  heard: Heard,
  draft: Draft,
): AsyncGenerator<TranscriptEvent, void> {
  const event = windowEvent(window, heard);
  yield event;
  const { text, ids } = await readOpen(to, window, draft.ids);
  const { committed, tentative } = draft.revise(text, ids);
  const { startSeconds, endSeconds } = event;
  yield { type: 'partial', index: to.nextIndex, startSeconds, endSeconds, committed, tentative };
}

function windowEvent(window: AudioWindow, heard: Heard): Extract<TranscriptEvent, { type: 'window' }> {
  return {
    type: 'window',
    startSeconds: window.startSample / SAMPLE_RATE,
    endSeconds: endOf(window) / SAMPLE_RATE,
    open: window.open,
    heardSeconds: heard.samples / SAMPLE_RATE,
  };
}

function endOf({ startSample, samples }: AudioWindow): number {
  return startSample + samples.length;
}

/** Counts the samples that pass, and lets go when the user has changed their mind. */
async function* measured(
  audio: AsyncIterable<AudioBlock>,
  heard: Heard,
  signal: AbortSignal,
): AsyncGenerator<AudioBlock, void> {
  for await (const block of audio) {
    signal.throwIfAborted();
    heard.samples = block.startSample + block.samples.length;
    yield block;
  }
}
