// A window → its segments: features, encoder, then all utterances decoded side by side, each from its
// own rows of the encoder's output (one row is 80 ms), so that every utterance gets its own times.
//
// Where the model goes in circles or out of its budget, the utterance is cut at its quietest place and
// the parts are read again on their own; the segments say so.

import { AsrError, assert, isAsrError } from '../errors.ts';
import { FRAMES_PER_AUDIO_ROW } from '../model/config.ts';
import { audioRowsFor, SAMPLES_PER_AUDIO_ROW } from '../model/audio-rows.ts';
import { type Sequence, sequenceLength } from '../model/decoder-runs.ts';
import type { Ending } from '../model/generate.ts';
import type { Model } from '../model/load.ts';
import type { ReadEvent } from '../model/reader.ts';
import { withoutCycle } from '../model/loops.ts';
import type { DetokenizerStream } from '../text/tokenizer.ts';
import { windowFeatures } from '../signal/log-mel.ts';
import { SAMPLE_RATE, WINDOW_FRAMES } from '../signal/units.ts';
import type { Segment, SegmentFlag, Token, TranscribeOptions, TranscriptEvent } from './events.ts';
import { quietestSample } from './quiet-place.ts';
import type { AudioWindow, Utterance } from './segmenter.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { Tracer } from './tracer.ts';

/** Fast speech has about ten ids a second; beyond this the model is not transcribing. */
const MAX_TOKENS_PER_SECOND = 15;
const MIN_TOKEN_BUDGET = 24;

/** Stretches shorter than this are not cut any further. */
const MIN_SPLIT_SAMPLES = 2 * SAMPLE_RATE;

/** The model in use. After a lost device `rebuild` puts a new one in its place. */
export interface ModelHolder {
  model: Model;
  readonly rebuild?: (() => Promise<void>) | undefined;
}

export interface Recognizer {
  readonly holder: ModelHolder;
  readonly options: TranscribeOptions;
  readonly watch: Stopwatch;
  readonly signal: AbortSignal;
  /** Listens in, where somebody wants to see. */
  readonly trace?: Tracer | undefined;
  /** Index of the next segment. */
  nextIndex: number;
}

export interface RecognizeOptions {
  /** A guess at the text of the only utterance: saves work, changes nothing. */
  readonly draft?: readonly number[];
  /** What the segments already have to say of themselves. */
  readonly flags?: readonly SegmentFlag[];
}

/** Reads one closed window. Yields `partial` while text grows and `final` per segment, in order of time. */
export async function* recognize(
  to: Recognizer,
  window: AudioWindow,
  { draft = [], flags = [] }: RecognizeOptions = {},
): AsyncGenerator<TranscriptEvent, void> {
  const readings = yield* readSafely(to, window, draft);
  for (const reading of readings) {
    const parts =
      to.options.loopGuard && reading.ending !== 'stop' ? splitInTwo(window, reading.utterance) : [];
    // A budget that the user set is the user's wish; no second reading changes it.
    const again = parts.length > 0 && !(reading.ending === 'budget' && to.options.maxNewTokens !== undefined);
    if (again) for (const part of parts) yield* recognize(to, part, { flags: ['resplit'] });
    else yield* settle(to, reading, flags);
  }
}

/** Times that a window is read again after its device was lost. */
const MAX_REBUILDS = 3;

/** Reads a window; when the device goes away meanwhile, on a new one, from the window's start. */
async function* readSafely(
  to: Recognizer,
  window: AudioWindow,
  draft: readonly number[],
): AsyncGenerator<TranscriptEvent, readonly Reading[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return yield* read(to, window, draft);
    } catch (error) {
      const lost = isAsrError(error) && error.code === 'device-lost';
      if (!lost || to.holder.rebuild === undefined || attempt === MAX_REBUILDS) throw error;
      to.signal.throwIfAborted();
      await to.holder.rebuild();
    }
  }
}

/** The text of a window that still grows, as it is now; `draft` is the last reading of it. */
export async function readOpen(
  to: Recognizer,
  window: AudioWindow,
  draft: readonly number[],
): Promise<{ readonly text: string; readonly ids: readonly number[] }> {
  const reading = readSafely(to, window, draft);
  for (;;) {
    const { done, value } = await reading.next();
    if (!done) continue;
    const ids = withoutCycle(value.flatMap(({ tokens }) => tokens.map(({ id }) => id)));
    return { text: to.holder.model.tokenizer.detokenize(ids).trim(), ids };
  }
}

/** One utterance as the model read it. */
interface Reading {
  readonly utterance: Utterance;
  readonly tokens: Token[];
  readonly detokenizer: DetokenizerStream;
  text: string;
  ending: Ending;
}

async function* read(
  to: Recognizer,
  window: AudioWindow,
  draft: readonly number[],
): AsyncGenerator<TranscriptEvent, Reading[]> {
  const { options, watch, signal } = to;
  const { model } = to.holder;
  signal.throwIfAborted();
  const prompt = model.prompt(options.instruction);
  const spans = window.utterances
    .map((utterance) => ({ utterance, audioRows: rowsOf(window, utterance) }))
    .filter(({ audioRows: [start, end] }) => end > start)
    .map((span) => ({ ...span, budget: budgetOf(to, { prompt, audioRows: span.audioRows }) }));
  if (spans.length === 0) return [];
  const { melBins } = model.manifest.features;
  const frames = options.shortPad ? paddedFrames(window.samples.length) : WINDOW_FRAMES;
  const streamed = window.streamed?.melBins === melBins ? window.streamed : undefined;
  const features = watch.time('features', () =>
    windowFeatures(window.samples, { melBins, frames, ...(streamed && { streamed }) }),
  );
  to.trace?.show(window, features, melBins);
  const readings = spans.map(({ utterance }) => blank(utterance, model));
  const passage = { features, frames, prompt, spans, loopGuard: options.loopGuard, draft };
  for await (const event of model.reader.read(passage, signal)) {
    if (event.type === 'work') {
      watch.addWork(event);
      traceWork(to, window, event);
      continue;
    }
    const reading = readings[event.sequence];
    assert(reading !== undefined, 'the reader speaks of spans that it was given');
    if (event.type === 'end') reading.ending = event.ending;
    else yield* grow(to, reading, event.sequence, event.id, event.logProb);
  }
  return readings;
}

function traceWork(
  { trace, watch }: Recognizer,
  window: AudioWindow,
  { encoderMs, prefillMs, stepsMs, decoderRuns }: Extract<ReadEvent, { type: 'work' }>,
): void {
  const startSeconds = window.startSample / SAMPLE_RATE;
  const featuresMs = watch.lastMs('features');
  trace?.tell({ kind: 'work', startSeconds, featuresMs, encoderMs, prefillMs, stepsMs, decoderRuns });
}

function blank(utterance: Utterance, model: Model): Reading {
  return { utterance, tokens: [], detokenizer: model.tokenizer.stream(), text: '', ending: 'stop' };
}

function* grow(
  to: Recognizer,
  reading: Reading,
  place: number,
  id: number,
  logProb: number,
): Generator<TranscriptEvent> {
  const text = reading.detokenizer.push(id);
  reading.tokens.push({ id, logProb, text });
  to.watch.tokens++;
  to.trace?.tell({ kind: 'token', index: to.nextIndex + place, token: { id, logProb, text } });
  if (text === '') return;
  reading.text += text;
  const { startSample, endSample } = reading.utterance;
  yield {
    type: 'partial',
    index: to.nextIndex + place,
    startSeconds: startSample / SAMPLE_RATE,
    endSeconds: endSample / SAMPLE_RATE,
    committed: reading.text.trimStart(),
    tentative: '',
  };
}

/** The reading's segment; none where the model heard nothing (except in exact mode, which answers for every clip). */
function* settle(
  to: Recognizer,
  reading: Reading,
  flags: readonly SegmentFlag[],
): Generator<TranscriptEvent> {
  const looped = reading.ending === 'loop';
  const kept = looped ? withoutCycle(reading.tokens.map(({ id }) => id)).length : reading.tokens.length;
  const tokens = reading.tokens.slice(0, kept);
  const text = to.holder.model.tokenizer.detokenize(tokens.map(({ id }) => id)).trim();
  if (text === '' && !to.options.exact) return;
  const segment: Segment = {
    index: to.nextIndex++,
    startSeconds: reading.utterance.startSample / SAMPLE_RATE,
    endSeconds: reading.utterance.endSample / SAMPLE_RATE,
    text,
    tokens,
    meanLogProb:
      tokens.length === 0 ? 0 : tokens.reduce((sum, { logProb }) => sum + logProb, 0) / tokens.length,
    flags: reading.ending === 'stop' ? flags : [...flags, reading.ending],
  };
  yield { type: 'final', segment };
}

/** The fewest frames that hold the samples and come out as whole rows. */
function paddedFrames(samples: number): number {
  return FRAMES_PER_AUDIO_ROW * Math.max(1, Math.ceil(samples / SAMPLES_PER_AUDIO_ROW));
}

/** Rows of the encoder's output that stand for the utterance: whole rows around it, never beyond the sound. */
function rowsOf(window: AudioWindow, { startSample, endSample }: Utterance): [start: number, end: number] {
  const rows = audioRowsFor(window.samples.length);
  const start = Math.floor((startSample - window.startSample) / SAMPLES_PER_AUDIO_ROW);
  const end = Math.ceil((endSample - window.startSample) / SAMPLES_PER_AUDIO_ROW);
  return [Math.max(0, start), Math.min(rows, end)];
}

/** Most new ids of a sequence: in proportion to its length, within the model's context. */
function budgetOf({ holder: { model }, options }: Recognizer, sequence: Sequence): number {
  const [start, end] = sequence.audioRows;
  const seconds = ((end - start) * SAMPLES_PER_AUDIO_ROW) / SAMPLE_RATE;
  const budget =
    options.maxNewTokens ?? Math.max(MIN_TOKEN_BUDGET, Math.ceil(seconds * MAX_TOKENS_PER_SECOND));
  const room = model.manifest.config.text.maxPositions - sequenceLength(sequence);
  if (room < 1) {
    throw new AsrError(
      'prompt-too-long',
      `the prompt fills the model's ${model.manifest.config.text.maxPositions} positions`,
    );
  }
  return Math.min(budget, room);
}

/** The utterance as two windows of its own, cut at its quietest place; none when it is too short to cut. */
function splitInTwo(window: AudioWindow, { startSample, endSample }: Utterance): AudioWindow[] {
  if (endSample - startSample < MIN_SPLIT_SAMPLES) return [];
  const samples = window.samples.subarray(startSample - window.startSample, endSample - window.startSample);
  const cutSample = startSample + quietestSample(samples);
  return [[startSample, cutSample] as const, [cutSample, endSample] as const].map(([start, end]) => ({
    open: false,
    startSample: start,
    samples: window.samples.subarray(start - window.startSample, end - window.startSample),
    utterances: [{ startSample: start, endSample: end }],
  }));
}
