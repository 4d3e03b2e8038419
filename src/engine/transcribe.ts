// START HERE. The main flow: audio in, transcript events out; the same for a file, a microphone and an
// upload. Everything slow or stateful is a guest from below.

import { type AudioBlock, SAMPLE_RATE } from '../signal/units.ts';
import type { TranscribeOptions, TranscriptEvent } from './events.ts';
import { Draft } from './draft.ts';
import { Ear } from './ear.ts';
import { type ModelHolder, type Recognizer, readOpen, recognize } from './recognize.ts';
import type { AudioWindow } from './segmenter.ts';
import { Stopwatch } from './stopwatch.ts';
import { Tracer } from './tracer.ts';
import { WindowMaker, windowsOf } from './windows.ts';

/** A growing window is read again after this much more speech. */
const REVISION_SAMPLES = 0.25 * SAMPLE_RATE;

/** What has come in of the recording. */
interface Heard {
  samples: number;
}

/** Reads one recording; see `Engine.transcribe` for the promise. */
export async function* transcribe(
  holder: ModelHolder,
  audio: AsyncIterable<AudioBlock>,
  options: TranscribeOptions,
  signal: AbortSignal,
): AsyncGenerator<TranscriptEvent, void> {
  const trace = options.trace ? new Tracer() : undefined;
  const to: Recognizer = { holder, options, watch: new Stopwatch(), signal, nextIndex: 0, trace };
  const events = eventsOf(to, audio);
  yield* trace === undefined ? events : traced(events, trace);
}

async function* eventsOf(
  to: Recognizer,
  audio: AsyncIterable<AudioBlock>,
): AsyncGenerator<TranscriptEvent, void> {
  const { options, signal, trace } = to;
  const heard = { samples: 0 };
  const counted = measured(audio, heard, signal);
  if (options.live) {
    yield* listen(to, counted, heard);
  } else {
    for await (const window of windowsOf(counted, options, trace)) yield* readClosed(to, window, heard);
  }
  yield { type: 'end', durationSeconds: heard.samples / SAMPLE_RATE, timings: to.watch.read() };
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
        yield* readClosed(to, closed, heard, draft.ids);
        draft.clear();
      } else if (open !== undefined && endOf(open) - revisedEnd >= REVISION_SAMPLES) {
        revisedEnd = endOf(open);
        yield* reviseOpen(to, open, heard, draft);
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
  yield {
    type: 'progress',
    doneSeconds: endOf(window) / SAMPLE_RATE,
    heardSeconds: heard.samples / SAMPLE_RATE,
  };
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
