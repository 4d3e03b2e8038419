// Our own dialect, for curl: a recording in, one line of JSON per event out.
//
//   curl -N -T talk.mp3 http://localhost:7860/api/transcribe
//   curl -N -F file=@talk.mp3 -F gain=false http://localhost:7860/api/transcribe

import { Hono } from 'hono';
import { z } from 'zod';
import { AsrError } from '../errors.ts';
import { type JobEvent, type Jobs, firstEvents, untilRemoved } from './jobs.ts';
import { askerOf } from './asker.ts';
import { parseOptions, readingOptions, transcribeOptions } from './reading-options.ts';
import { refusalOf, sentencesOf } from './refusal.ts';
import { chained, textStream } from './streams.ts';
import type { Form, UploadFolder } from './uploads.ts';

export const lineFields = readingOptions.extend({
  model: z.string().max(200).default('').meta({ description: 'A name from /v1/models; empty: the first.' }),
});

export interface LineParts {
  readonly jobs: Jobs;
  readonly uploads: UploadFolder;
  readonly onBug: (id: string, error: unknown) => void;
}

export function lineRoutes({ jobs, uploads, onBug }: LineParts): Hono {
  const routes = new Hono();
  routes.on(['POST', 'PUT'], ['/transcribe', '/transcribe/:name'], async (c) => {
    const isForm = (c.req.header('Content-Type') ?? '').startsWith('multipart/form-data');
    const form = isForm ? await uploads.receiveForm(c.req.raw) : await uploads.receiveBody(c.req.raw);
    let job: Parameters<Jobs['run']>[0];
    try {
      job = await jobOf(jobs, form, askerOf(c), c.req.query());
    } catch (error) {
      await form.remove();
      throw error;
    }
    const controller = new AbortController();
    const signal = AbortSignal.any([c.req.raw.signal, controller.signal]);
    const events = untilRemoved(jobs.run(job, signal), form);
    const first = await firstEvents(events);
    return textStream(lines(first, events, onBug), controller, 'application/x-ndjson; charset=utf-8');
  });
  routes.onError((error) => {
    const { status, code, message, headers } = refusalOf(error, onBug);
    return Response.json({ type: 'error', code, message }, { status, headers });
  });
  return routes;
}

async function jobOf(
  jobs: Jobs,
  { fields, uploads }: Form,
  asker: string,
  query: Record<string, string>,
): Promise<Parameters<Jobs['run']>[0]> {
  const given = {
    ...query,
    ...Object.fromEntries([...fields].map(([name, values]) => [name, values.at(-1)])),
  };
  const { model, ...asked } = parseOptions(lineFields, given);
  await jobs.model(model);
  const [upload] = uploads;
  if (upload === undefined) throw new AsrError('upload-malformed', 'the form has no recording');
  if (upload.bytes === 0) throw new AsrError('audio-empty', 'the file has no bytes');
  return { asker, model, audio: { path: upload.path }, options: transcribeOptions(asked) };
}

async function* lines(
  first: readonly JobEvent[],
  rest: AsyncGenerator<JobEvent, void>,
  onBug: LineParts['onBug'],
): AsyncGenerator<string, void> {
  try {
    for await (const event of chained(first, rest)) {
      yield line(event.type === 'warning' ? warningOf(event) : event);
    }
  } catch (error) {
    const { code, message } = refusalOf(error, onBug);
    yield line({ type: 'error', code, message });
  }
}

/** In the words of `refusalOf`: with what to do about it. */
function warningOf({ type, code, message }: Extract<JobEvent, { type: 'warning' }>): object {
  return { type, code, message: sentencesOf(code, message) };
}

function line(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
