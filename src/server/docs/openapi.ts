// The API's description (OpenAPI 3.1), from the schemas that requests are checked with.

import { z } from 'zod';
import { type ZodOpenApiOperationObject, createDocument } from 'zod-openapi';
import { lineFields } from '../lines.ts';
import { transcriptionFields } from '../openai/requests.ts';

const binary = z
  .string()
  .meta({ format: 'binary', description: 'A recording in any format that Sotto reads.' });
const fileForm = { file: binary };

const openAiError = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: 'OpenAiError' });
const lineError = z
  .object({ type: z.literal('error'), code: z.string(), message: z.string() })
  .meta({ id: 'LineError' });
const gradioError = z
  .object({
    detail: z.union([
      z.string(),
      z.array(z.object({ msg: z.string(), loc: z.array(z.string()), type: z.string() })),
    ]),
  })
  .meta({ id: 'GradioError' });
const usage = z.object({ type: z.literal('duration'), seconds: z.number() });
const transcription = z
  .object({
    text: z.string(),
    usage,
    logprobs: z
      .array(z.object({ token: z.string(), logprob: z.number(), bytes: z.array(z.number()) }))
      .optional(),
    task: z.literal('transcribe').optional(),
    language: z.string().optional(),
    duration: z.number().optional(),
    segments: z
      .array(z.looseObject({ id: z.number(), start: z.number(), end: z.number(), text: z.string() }))
      .optional(),
  })
  .meta({ id: 'Transcription' });
const model = z
  .object({ id: z.string(), object: z.literal('model'), created: z.number(), owned_by: z.string() })
  .meta({ id: 'Model' });
const event = z.looseObject({ type: z.string() }).meta({ id: 'Event' });
const call = z
  .object({
    data: z
      .array(z.unknown())
      .meta({ description: 'audio, model, gain, voice_detection; all but the first may be left out.' }),
  })
  .meta({ id: 'GradioCall' });

/** A stream has no schema as a whole; tools that know server-sent events look at each one. */
const events = z.unknown().meta({ description: 'Server-sent events.' });

type Responses = ZodOpenApiOperationObject['responses'];

function json(schema: z.ZodType, description = 'Done.'): Responses[keyof Responses] {
  return { description, content: { 'application/json': { schema } } };
}

/** The failures of a dialect, all in its one shape. */
function failures(schema: z.ZodType, ...codes: number[]): Responses {
  const meanings: Record<number, string> = {
    400: 'The request or the recording cannot be used.',
    401: 'A key is wanted.',
    403: 'That host or origin may not ask.',
    404: 'There is no such model or address.',
    405: 'Nothing here takes that method.',
    413: 'Too large or too long.',
    415: 'That format is not read.',
    422: 'An argument does not fit.',
    429: 'Too often; see Retry-After.',
    500: 'The server failed.',
    503: 'The line is full; see Retry-After.',
    504: 'It took too long.',
  };
  return Object.fromEntries(
    [400, 401, 403, 413, 415, 429, 500, 503, 504, ...codes].map((code) => [
      String(code),
      json(schema, meanings[code] ?? 'It failed.'),
    ]),
  );
}

const lineResponses: Responses = {
  '200': { description: 'Events.', content: { 'application/x-ndjson': { schema: event } } },
  ...failures(lineError, 404),
};

export function openApiDocument(version: string): object {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Sotto',
      version,
      description:
        'Private speech-to-text for quiet voices. The same engine in three dialects: OpenAI, Gradio, and lines of JSON.',
    },
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    security: [{}, { key: [] }],
    paths: {
      '/v1/audio/transcriptions': {
        post: {
          summary: 'Write down what is said in a recording (OpenAI).',
          tags: ['OpenAI'],
          requestBody: {
            required: true,
            content: {
              'multipart/form-data': { schema: z.object({ ...fileForm, ...transcriptionFields.shape }) },
            },
          },
          responses: {
            '200': {
              description: 'The transcript, in the format asked for.',
              content: {
                'application/json': { schema: transcription },
                'text/plain': { schema: z.string() },
                'text/vtt': { schema: z.string() },
                'application/x-subrip': { schema: z.string() },
                'text/event-stream': { schema: events },
              },
            },
            ...failures(openAiError, 404),
          },
        },
      },
      '/v1/models': {
        get: {
          summary: 'The models here.',
          tags: ['OpenAI'],
          responses: {
            '200': json(z.object({ object: z.literal('list'), data: z.array(model) })),
            ...failures(openAiError),
          },
        },
      },
      '/v1/models/{id}': {
        get: {
          summary: 'One model.',
          tags: ['OpenAI'],
          requestParams: { path: z.object({ id: z.string() }) },
          responses: { '200': json(model), ...failures(openAiError, 404) },
        },
      },
      '/api/transcribe': {
        post: {
          summary: 'A recording in, one line of JSON per event out (curl).',
          tags: ['Lines'],
          requestBody: {
            required: true,
            content: {
              'multipart/form-data': { schema: z.object({ ...fileForm, ...lineFields.shape }) },
              'application/octet-stream': { schema: binary },
            },
          },
          responses: lineResponses,
        },
        put: {
          summary: 'The same for a bare recording (curl -T); options in the address.',
          tags: ['Lines'],
          requestParams: { query: lineFields },
          requestBody: { required: true, content: { 'application/octet-stream': { schema: binary } } },
          responses: lineResponses,
        },
      },
      '/gradio_api/info': {
        get: {
          summary: 'What can be called (Gradio).',
          tags: ['Gradio'],
          responses: { '200': json(z.looseObject({})) },
        },
      },
      '/gradio_api/upload': {
        post: {
          summary: 'Upload recordings; gives the names that calls use.',
          tags: ['Gradio'],
          requestBody: {
            required: true,
            content: { 'multipart/form-data': { schema: z.object({ files: z.array(binary) }) } },
          },
          responses: { '200': json(z.array(z.string())), ...failures(gradioError, 422) },
        },
      },
      '/gradio_api/call/transcribe': {
        post: {
          summary: 'Call the function.',
          tags: ['Gradio'],
          requestBody: { required: true, content: { 'application/json': { schema: call } } },
          responses: { '200': json(z.object({ event_id: z.string() })), ...failures(gradioError, 404, 422) },
        },
      },
      '/gradio_api/call/transcribe/{event_id}': {
        get: {
          summary: 'Hear what a call says.',
          tags: ['Gradio'],
          requestParams: { path: z.object({ event_id: z.string() }) },
          responses: {
            '200': { description: 'Events.', content: { 'text/event-stream': { schema: events } } },
            ...failures(gradioError, 404),
          },
        },
      },
      '/healthz': {
        get: {
          summary: 'Is it well?',
          tags: ['Server'],
          responses: { '200': json(z.looseObject({ status: z.string(), version: z.string() })) },
        },
      },
      '/metrics': {
        get: {
          summary: 'Numbers for Prometheus.',
          tags: ['Server'],
          responses: {
            '200': { description: 'Text.', content: { 'text/plain': { schema: z.string() } } },
            ...failures(openAiError),
          },
        },
      },
    },
  });
}
