// Gradio's HTTP protocol (sse_v3), for its stock clients and for curl.

import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { AsrError } from '../../errors.ts';
import { askerOf } from '../asker.ts';
import type { Job, Jobs } from '../jobs.ts';
import { OptionError, flag, parseOptions, transcribeOptions } from '../reading-options.ts';
import { refusalOf } from '../refusal.ts';
import { eventStream } from '../streams.ts';
import type { UploadFolder } from '../uploads.ts';
import { API_NAME, FN_INDEX, PARAMETERS, gradioConfig, gradioInfo } from './description.ts';
import { callFrames, sessionFrames } from './frames.ts';
import { KeptUploads } from './kept-uploads.ts';
import { clientPage } from './page.ts';
import type { GradioSessions } from './sessions.ts';

export interface GradioParts {
  readonly version: string;
  readonly gradio: GradioSessions;
  readonly jobs: Jobs;
  readonly uploads: UploadFolder;
  readonly onBug: (id: string, error: unknown) => void;
}

const HEARTBEAT_MS = 15_000;

const argumentsSchema = z.object({
  audio: z.union([z.string().transform((path) => ({ path })), z.object({ path: z.string() })]),
  model: z.string().max(200).nullish(),
  gain: flag.nullish(),
  voice_detection: flag.nullish(),
});
const callBody = z.object({ data: z.array(z.unknown()).default([]) });
const joinBody = callBody.extend({
  fn_index: z.number().int().nullish(),
  session_hash: z.string().min(1).max(200),
});
const cancelBody = z.object({ event_id: z.string(), session_hash: z.string().nullish() });

export function gradioRoutes(parts: GradioParts): Hono {
  const routes = new Hono();
  routes.get('/config', (c) => c.json(gradioConfig(parts.version, parts.uploads.maxBytes)));
  routes.get('/gradio_api', (c) => c.redirect('gradio_api/'));
  routes.get('/gradio_api/', (c) => clientPage(c.req.raw));
  routes.route('/gradio_api', apiRoutes(parts));
  return routes;
}

function apiRoutes(parts: GradioParts): Hono {
  const { gradio, jobs, uploads, onBug } = parts;
  const kept = new KeptUploads();
  const api = new Hono();
  api.get('/config', (c) => c.json(gradioConfig(parts.version, uploads.maxBytes)));
  api.get('/info', (c) => c.json(gradioInfo()));
  api.get('/heartbeat/:hash', (c) => heartbeat(c, gradio));
  api.post('/upload', (c) => upload(c, uploads, kept));
  api.post('/queue/join', async (c) => {
    const { data, fn_index, session_hash } = parseOptions(joinBody, await jsonOf(c));
    if (fn_index !== undefined && fn_index !== null && fn_index !== FN_INDEX) {
      throw new OptionError('fn_index', `there is only function ${FN_INDEX}`);
    }
    return c.json({ event_id: gradio.join(session_hash, await jobOf(c, jobs, kept, byPosition(data))) });
  });
  api.get('/queue/data', (c) => {
    const controller = new AbortController();
    const hash = c.req.query('session_hash') ?? '';
    const said = gradio.stream(hash, signalOf(c, controller), HEARTBEAT_MS);
    return eventStream(sessionFrames(said, onBug), controller);
  });
  api.get('/queue/status', (c) => c.json({ msg: 'estimation', queue_size: jobs.load.waiting }));
  api.post('/cancel', async (c) => {
    const { event_id, session_hash } = parseOptions(cancelBody, await jsonOf(c));
    return c.json({ success: gradio.cancel(session_hash ?? undefined, event_id) });
  });
  api.post('/reset', async (c) => {
    const { event_id, session_hash } = parseOptions(cancelBody, await jsonOf(c));
    gradio.cancel(session_hash ?? undefined, event_id);
    return c.json({ success: true });
  });
  api.post('/call/v2/:name', async (c) => {
    nameCheck(c.req.param('name'));
    const given = parseOptions(z.record(z.string(), z.unknown()), await jsonOf(c));
    return c.json({ event_id: gradio.call(await jobOf(c, jobs, kept, given)) });
  });
  const callByPosition = async (c: Context, name: string): Promise<string> => {
    nameCheck(name);
    const { data } = parseOptions(callBody, await jsonOf(c));
    return gradio.call(await jobOf(c, jobs, kept, byPosition(data)));
  };
  api.post('/call/:name', async (c) => c.json({ event_id: await callByPosition(c, c.req.param('name')) }));
  api.on('GET', ['/call/:name/:id', '/call/v2/:name/:id'], (c) => {
    const controller = new AbortController();
    const events = gradio.listen(c.req.param('id') ?? '', signalOf(c, controller));
    return eventStream(callFrames(events, onBug), controller);
  });
  api.on('POST', ['/run/:name', '/api/:name'], async (c) => {
    const id = await callByPosition(c, c.req.param('name') ?? '');
    for await (const event of gradio.listen(id, c.req.raw.signal)) {
      if (event.type === 'failed') throw event.error;
      if (event.type !== 'completed') continue;
      return c.json({ data: event.output, duration: event.seconds, average_duration: event.seconds });
    }
    throw new AsrError('engine-died', 'the job ended without an answer');
  });
  api.all('*', (c) => {
    // Outputs are text; no file is ever given out, whatever its name.
    throw new AsrError('address-unknown', `there is no ${c.req.method} ${c.req.path} here`);
  });
  api.onError((error) => gradioError(error, onBug));
  return api;
}

/** FastAPI's shape, which Gradio's clients read: `detail`. */
function gradioError(error: unknown, onBug: GradioParts['onBug']): Response {
  const { status, message, headers } = refusalOf(error, onBug);
  if (!(error instanceof OptionError)) return Response.json({ detail: message }, { status, headers });
  const detail = [{ loc: ['body', error.field], msg: message, type: 'value_error' }];
  return Response.json({ detail }, { status: 422, headers });
}

async function upload(c: Context, uploads: UploadFolder, kept: KeptUploads): Promise<Response> {
  const form = await uploads.receiveForm(c.req.raw);
  const files = form.uploads.filter(({ field }) => field === 'files');
  if (files.length === 0 || files.length < form.uploads.length) {
    await form.remove();
    throw new OptionError('files', 'recordings are sent in fields called "files"');
  }
  return c.json(await Promise.all(files.map((file) => kept.keep(file))));
}

async function jobOf(c: Context, jobs: Jobs, kept: KeptUploads, given: object): Promise<Job> {
  const { audio, model, gain, voice_detection } = parseOptions(argumentsSchema, given);
  const path = kept.find(audio.path);
  if (path === undefined) {
    const isAddress = /^[a-z]+:\/\//i.test(audio.path);
    throw new OptionError(
      'audio',
      isAddress
        ? 'this server fetches nothing from other addresses; upload the recording'
        : 'that file was not uploaded here, or too long ago',
    );
  }
  await jobs.model(model ?? '');
  jobs.checkRoom(askerOf(c));
  const options = transcribeOptions({
    gain: gain ?? undefined,
    voice_detection: voice_detection ?? undefined,
  });
  return { asker: askerOf(c), model: model ?? '', audio: { path }, options };
}

function byPosition(data: readonly unknown[]): object {
  if (data.length > PARAMETERS.length) {
    throw new OptionError('data', `/${API_NAME} takes at most ${PARAMETERS.length} values`);
  }
  return Object.fromEntries(data.map((value, i) => [PARAMETERS[i], value]));
}

function nameCheck(name: string): void {
  if (name !== API_NAME) throw new AsrError('address-unknown', `there is only the function /${API_NAME}`);
}

async function jsonOf(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    throw new OptionError('', 'the request should be JSON');
  }
}

function signalOf(c: Context, controller: AbortController): AbortSignal {
  return AbortSignal.any([c.req.raw.signal, controller.signal]);
}

/** Open as long as the client is there. */
function heartbeat(c: Context, sessions: GradioSessions): Response {
  const controller = new AbortController();
  const signal = signalOf(c, controller);
  async function* beats(): AsyncGenerator<string, void> {
    try {
      while (!signal.aborted) {
        yield 'data: ALIVE\n\n';
        await pause(HEARTBEAT_MS, signal);
      }
    } finally {
      sessions.leave(c.req.param('hash') ?? '');
    }
  }
  return eventStream(beats(), controller);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
