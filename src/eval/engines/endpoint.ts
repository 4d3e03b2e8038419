// Any server that answers POST /v1/audio/transcriptions as OpenAI's does; ours among them.

import { AsrError } from '../../errors.ts';
import { type EngineSpec, numberOf, required, switchOf } from './engine-spec.ts';
import type { EngineReading, EvalAudio, EvalEngine } from './eval-engine.ts';
import { sseData } from './sse.ts';

/** As OpenAI's own clients wait. */
const TIMEOUT_SECONDS = 600;
/** Where a server does not care for the name, this one shows in its log. */
const ANY_MODEL = 'default';

interface Endpoint {
  readonly url: string;
  readonly model: string;
  readonly key: string | undefined;
  readonly stream: boolean;
  readonly tellLanguage: boolean;
  readonly timeoutMs: number;
}

/** Nothing is asked of the server yet. Fails with `option-invalid`. */
export function openEndpoint(spec: EngineSpec): EvalEngine {
  const keyName = spec.settings['key-env'];
  const key = keyName === undefined ? undefined : process.env[keyName];
  if (keyName !== undefined && key === undefined) {
    throw new AsrError('option-invalid', `the environment variable ${keyName} is not set`);
  }
  const endpoint: Endpoint = {
    url: `${addressOf(required(spec, 'url'))}/audio/transcriptions`,
    model: spec.settings['model'] ?? ANY_MODEL,
    key,
    stream: switchOf(spec, 'stream', false),
    tellLanguage: switchOf(spec, 'language', true),
    timeoutMs: 1000 * (numberOf(spec, 'timeout') ?? TIMEOUT_SECONDS),
  };
  return {
    facts: {
      model: endpoint.model,
      device: new URL(endpoint.url).host,
      streams: endpoint.stream ? 'yes' : 'unknown',
      limits: [
        'memory: another process',
        ...(endpoint.stream ? [] : ['streaming: not asked for (stream=on)']),
        ...(endpoint.tellLanguage ? [] : ['not told the language']),
      ],
      inThisProcess: false,
    },
    transcribe: (audio, signal) => ask(endpoint, audio, signal),
    close: () => Promise.resolve(),
  };
}

function addressOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new AsrError('option-invalid', `${url} is no address that begins with http:// or https://`);
  }
  return url.replace(/\/+$/, '');
}

async function ask(endpoint: Endpoint, audio: EvalAudio, signal: AbortSignal): Promise<EngineReading> {
  const startMs = performance.now();
  const timeout = AbortSignal.timeout(endpoint.timeoutMs);
  try {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: endpoint.key === undefined ? {} : { Authorization: `Bearer ${endpoint.key}` },
      body: formOf(endpoint, audio),
      signal: AbortSignal.any([signal, timeout]),
    });
    if (!response.ok) throw new AsrError('endpoint-refused', await refusalOf(response));
    const streamed = response.headers.get('content-type')?.startsWith('text/event-stream');
    return streamed && response.body ? await readStream(response.body, startMs) : await readJson(response);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AsrError) throw error;
    const why = timeout.aborted ? 'did not answer in time' : 'cannot be reached';
    throw new AsrError('source-unreachable', `${endpoint.url} ${why}`, { cause: error });
  }
}

function formOf({ model, stream, tellLanguage }: Endpoint, audio: EvalAudio): FormData {
  const form = new FormData();
  form.set('file', new Blob([audio.wav()], { type: 'audio/wav' }), `${audio.id}.wav`);
  form.set('model', model);
  form.set('response_format', 'json');
  form.set('temperature', '0');
  if (stream) form.set('stream', 'true');
  if (tellLanguage && audio.language !== 'none') form.set('language', audio.language);
  return form;
}

/** `{"error": {"message": …}}` as OpenAI says it, else the beginning of whatever came. */
async function refusalOf(response: Response): Promise<string> {
  const body = (await response.text()).slice(0, 2000);
  const message = /"message"\s*:\s*"([^"]*)"/.exec(body)?.[1] ?? body.slice(0, 200).replace(/\s+/g, ' ');
  return `the server answered ${response.status}: ${message}`;
}

async function readJson(response: Response): Promise<EngineReading> {
  const body = await response.text();
  const answer = parse(body);
  if (typeof answer.text !== 'string') {
    throw new AsrError('endpoint-refused', `the answer has no text: ${body.slice(0, 200)}`);
  }
  return { text: answer.text.trim() };
}

/** Events `transcript.text.delta {delta}` … `transcript.text.done {text}`; or bare pieces of text, as `transformers serve` sends them. */
async function readStream(body: ReadableStream<Uint8Array>, startMs: number): Promise<EngineReading> {
  let text = '';
  let firstTextMs: number | undefined;
  for await (const data of sseData(body)) {
    if (data === '[DONE]') break;
    const event: Answer = data.startsWith('{') ? parse(data) : { delta: data };
    if (event.error !== undefined) throw new AsrError('endpoint-refused', `the server broke off: ${data}`);
    if (typeof event.delta === 'string') text += event.delta;
    if (text !== '') firstTextMs ??= performance.now() - startMs;
    if (event.type === 'transcript.text.done' && typeof event.text === 'string') text = event.text;
  }
  return { text: text.trim(), ...(firstTextMs !== undefined && { firstTextMs }) };
}

interface Answer {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly delta?: unknown;
  readonly error?: unknown;
}

function parse(body: string): Answer {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null ? json : {};
  } catch (cause) {
    throw new AsrError('endpoint-refused', `the answer is not JSON: ${body.slice(0, 200)}`, { cause });
  }
}
