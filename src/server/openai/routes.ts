// OpenAI's audio API: /v1/audio/transcriptions, /v1/models.

import { type Context, Hono } from 'hono';
import { AsrError, type AsrErrorCode } from '../../errors.ts';
import type { Segment } from '../../engine/events.ts';
import { askerOf } from '../asker.ts';
import { type JobEvent, type Jobs, firstEvents, untilRemoved } from '../jobs.ts';
import type { ModelShelf, ShelfModel } from '../model-shelf.ts';
import { OptionError, transcribeOptions } from '../reading-options.ts';
import { type Refusal, refusalOf } from '../refusal.ts';
import { chained, eventStream } from '../streams.ts';
import type { UploadFolder } from '../uploads.ts';
import { type Transcript, answer, logProbsOf, textOf, usageOf } from './answers.ts';
import { type ParsedTranscription, parseTranscription } from './requests.ts';

export interface OpenAiParts {
  readonly jobs: Jobs;
  readonly uploads: UploadFolder;
  readonly shelf: ModelShelf;
  readonly onBug: (id: string, error: unknown) => void;
}

export function openAiRoutes(parts: OpenAiParts): Hono {
  const routes = new Hono();
  routes.post('/audio/transcriptions', async (c) => {
    const form = await parts.uploads.receiveForm(c.req.raw);
    let parsed: ParsedTranscription;
    try {
      parsed = parseTranscription(form);
      await parts.jobs.model(parsed.request.model); // a wrong name is told before anybody waits
    } catch (error) {
      await form.remove();
      throw error;
    }
    const { unused } = parsed;
    const controller = new AbortController();
    const signal = AbortSignal.any([c.req.raw.signal, controller.signal]);
    const events = untilRemoved(parts.jobs.run(jobOf(c, parsed), signal), form);
    if (!parsed.request.stream) {
      const transcript = await wholeTranscript(events);
      return withUnused(withWarning(answer(transcript, parsed.request), transcript), unused);
    }
    // A full line, or a file that is no recording, is told with its own status, not in a stream.
    const first = await firstEvents(events);
    return withUnused(eventStream(streamedAnswer(parts, first, events, parsed), controller), unused);
  });
  routes.post('/audio/translations', () => {
    throw new OptionError(
      '',
      'this model writes down what is said in its own language; it does not translate',
    );
  });
  routes.get('/models', async (c) =>
    c.json({ object: 'list', data: (await parts.shelf.list()).map(modelObject) }),
  );
  routes.get('/models/:id', async (c) => c.json(modelObject(await parts.jobs.model(c.req.param('id')))));
  routes.all('*', (c) => {
    throw new AsrError('address-unknown', `there is no ${c.req.method} ${c.req.path} here`);
  });
  routes.onError((error) => openAiError(error, parts.onBug));
  return routes;
}

/** The four keys that stock clients read. */
export function openAiError(error: unknown, onBug: OpenAiParts['onBug']): Response {
  const refusal = refusalOf(error, onBug);
  return Response.json(errorBody(error, refusal), { status: refusal.status, headers: refusal.headers });
}

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

export function errorBody(error: unknown, { status, code, message }: Refusal): ErrorBody {
  const param = error instanceof OptionError && error.field !== '' ? error.field : null;
  return { error: { message, type: typeOf(status), param, code: code.replaceAll('-', '_') } };
}

/** Says what was sent and not used, so that nobody is left to guess. */
function withUnused(response: Response, unused: readonly string[]): Response {
  if (unused.length > 0) response.headers.set('Sotto-Unused', unused.join(', '));
  return response;
}

/** Says what the reading had to do without; OpenAI's shapes have no place for it. */
function withWarning(response: Response, { warning }: WholeTranscript): Response {
  if (warning !== undefined) response.headers.set('Sotto-Warning', warning);
  return response;
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

function modelObject({ id }: ShelfModel): object {
  // OpenAI dates a model; a folder has no such date that would mean anything.
  return { id, object: 'model', created: 0, owned_by: 'sotto' };
}

function jobOf(c: Context, { request, upload }: ParsedTranscription): Parameters<Jobs['run']>[0] {
  return {
    asker: askerOf(c),
    model: request.model,
    audio: { path: upload.path },
    options: transcribeOptions(request),
  };
}

interface WholeTranscript extends Transcript {
  readonly warning: AsrErrorCode | undefined;
}

async function wholeTranscript(events: AsyncIterable<JobEvent>): Promise<WholeTranscript> {
  const segments: Segment[] = [];
  let durationSeconds = 0;
  let warning: AsrErrorCode | undefined;
  for await (const event of events) {
    if (event.type === 'final') segments.push(event.segment);
    if (event.type === 'warning') warning = event.code;
    if (event.type === 'end') durationSeconds = event.durationSeconds;
  }
  return { segments, durationSeconds, warning };
}

/**
 * One `delta` per segment: a segment's text can still change while it is read, and a delta cannot be
 * taken back. The deltas together are the text.
 */
async function* streamedAnswer(
  { onBug }: OpenAiParts,
  first: readonly JobEvent[],
  rest: AsyncGenerator<JobEvent, void>,
  { request }: ParsedTranscription,
): AsyncGenerator<string, void> {
  const segments: Segment[] = [];
  const withLogProbs = request.include.includes('logprobs');
  let durationSeconds = 0;
  let told = '';
  try {
    for await (const event of chained(first, rest)) {
      if (event.type === 'end') durationSeconds = event.durationSeconds;
      // As a comment: headers are gone by now, and stock clients know no such event.
      if (event.type === 'warning') yield `: ${event.code}\n\n`;
      if (event.type !== 'final') continue;
      segments.push(event.segment);
      const text = textOf({ segments, durationSeconds });
      const delta = text.slice(told.length);
      told = text;
      if (delta === '') continue;
      yield frame({
        type: 'transcript.text.delta',
        delta,
        segment_id: `seg_${event.segment.index}`,
        ...(withLogProbs && { logprobs: logProbsOf([event.segment]) }),
      });
    }
    const transcript = { segments, durationSeconds };
    yield frame({
      type: 'transcript.text.done',
      text: told,
      ...(withLogProbs && { logprobs: logProbsOf(segments) }),
      usage: usageOf(transcript),
    });
    yield 'data: [DONE]\n\n';
  } catch (error) {
    yield `event: error\n${frame(errorBody(error, refusalOf(error, onBug)))}`;
  }
}

function frame(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
