// What calls say, in the frames of Gradio's two streams.

import { refusalOf, sentencesOf } from '../refusal.ts';
import type { CallEvent, Output } from './calls.ts';
import type { Said } from './sessions.ts';

type OnBug = (id: string, error: unknown) => void;

/** queue/data: exactly `data: {json}` and nothing else, or stock clients stumble. */
export async function* sessionFrames(
  said: AsyncIterable<Said | undefined>,
  onBug: OnBug,
): AsyncGenerator<string, void> {
  /** Per call, the output that was told last. */
  const told = new Map<string, Output>();
  let isKnown = false;
  for await (const one of said) {
    isKnown = true;
    if (one === undefined) yield frame({ msg: 'heartbeat' });
    else yield frame({ event_id: one.id, ...messageOf(one, told, onBug) });
  }
  if (!isKnown)
    yield frame({ msg: 'unexpected_error', message: 'Session not found', session_not_found: true });
  yield frame({ msg: 'close_stream', event_id: null });
}

/** call/…, for curl: named events, always with the full data. */
export async function* callFrames(
  events: AsyncIterable<CallEvent>,
  onBug: OnBug,
): AsyncGenerator<string, void> {
  for await (const event of events) {
    if (event.type === 'generating') yield namedFrame('generating', event.output);
    else if (event.type === 'completed') yield namedFrame('complete', event.output);
    else if (event.type === 'failed') yield namedFrame('error', refusalOf(event.error, onBug).message);
    else yield namedFrame('heartbeat', null);
  }
}

function messageOf({ id, event }: Said, told: Map<string, Output>, onBug: OnBug): object {
  switch (event.type) {
    case 'queued':
      return { msg: 'estimation', rank: event.ahead, queue_size: event.ahead + 1, rank_eta: null };
    case 'started':
      return { msg: 'process_starts', eta: null };
    case 'progress':
      return { msg: 'progress', progress_data: [progressOf(event)] };
    case 'warning': {
      const log = sentencesOf(event.code, event.message);
      return { msg: 'log', log, level: 'warning', title: 'Warning', duration: 10, visible: true };
    }
    case 'generating': {
      const before = told.get(id);
      told.set(id, event.output);
      const data = before === undefined ? event.output : changes(before, event.output);
      return { msg: 'process_generating', success: true, output: { data, is_generating: true } };
    }
    case 'completed': {
      const { output: data, seconds } = event;
      const output = { data, is_generating: false, duration: seconds, average_duration: seconds };
      return { msg: 'process_completed', success: true, output };
    }
    case 'failed': {
      const error = refusalOf(event.error, onBug).message;
      const output = { error, title: 'Error', visible: true, duration: 10 };
      return { msg: 'process_completed', success: false, title: 'Error', output };
    }
  }
}

function progressOf({ doneSeconds, heardSeconds }: Extract<CallEvent, { type: 'progress' }>): object {
  return {
    index: Math.round(doneSeconds),
    length: Math.round(heardSeconds),
    unit: 'seconds',
    progress: null,
    desc: null,
  };
}

/** What is new, output by output, as lists of [action, path, value]. */
function changes([text, segments]: Output, [newText, newSegments]: Output): unknown[] {
  const grows = newText.startsWith(text);
  const textChange = grows ? ['append', [], newText.slice(text.length)] : ['replace', [], newText];
  const added = newSegments.slice(segments.length).map((one, i) => ['add', [segments.length + i], one]);
  return [newText === text ? [] : [textChange], added];
}

function frame(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function namedFrame(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
