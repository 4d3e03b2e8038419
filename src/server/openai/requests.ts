// What OpenAI's clients send to /v1/audio/transcriptions, and what of it we can do.

import { z } from 'zod';
import { AsrError } from '../../errors.ts';
import { OptionError, flag, parseOptions, readingOptions } from '../reading-options.ts';
import type { Form, Upload } from '../uploads.ts';

export const RESPONSE_FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt'] as const;

export const transcriptionFields = readingOptions.extend({
  model: z.string().max(200).default('').meta({ description: 'A name from /v1/models; empty: the first.' }),
  language: z.string().max(40).optional().meta({ description: 'Taken, but the model hears by itself.' }),
  prompt: z.string().max(20_000).optional().meta({ description: 'Taken, but not used; see `instruction`.' }),
  response_format: z.enum(RESPONSE_FORMATS).default('json'),
  temperature: z.coerce
    .number()
    .min(0)
    .max(2)
    .optional()
    .meta({ description: 'Taken, but the reading is always the most likely one (0).' }),
  timestamp_granularities: z.array(z.enum(['word', 'segment'])).default([]),
  include: z.array(z.enum(['logprobs'])).default([]),
  stream: flag.default(false),
});

export type TranscriptionRequest = z.output<typeof transcriptionFields>;

/** Fields that come as lists, each value in a field of its own called `name[]`. */
const LISTS = ['timestamp_granularities', 'include'] as const;

/** Fields that stock clients send and that change nothing here. */
const UNUSED = ['language', 'languages', 'prompt', 'keywords', 'temperature', 'chunking_strategy'] as const;

export interface ParsedTranscription {
  readonly request: TranscriptionRequest;
  readonly upload: Upload;
  /** What was sent and is not used, so that nobody is left to guess. */
  readonly unused: readonly string[];
}

/** Fails with an OptionError for a field that we cannot honor, with `upload-malformed` when the file is missing. */
export function parseTranscription({ fields, uploads }: Form): ParsedTranscription {
  const given: Record<string, unknown> = {};
  for (const [name, values] of fields) given[name] = values.at(-1);
  for (const name of LISTS) {
    const values = [...(fields.get(`${name}[]`) ?? []), ...(fields.get(name) ?? [])];
    if (values.length > 0) given[name] = values;
    else delete given[name];
  }
  if (given.response_format === 'diarized_json') {
    throw new OptionError(
      'response_format',
      'this model does not tell speakers apart, so there is no diarized_json',
    );
  }
  const request = parseOptions(transcriptionFields, given);
  refuseWhatCannotBe(request);
  const upload = uploads.find(({ field }) => field === 'file');
  if (upload === undefined) throw new OptionError('file', 'the form has no recording in its field "file"');
  if (upload.bytes === 0) throw new AsrError('audio-empty', 'the file has no bytes');
  return { request, upload, unused: unusedOf([...fields.keys()], request) };
}

function refuseWhatCannotBe({
  timestamp_granularities,
  response_format,
  stream,
}: TranscriptionRequest): void {
  if (timestamp_granularities.includes('word')) {
    throw new OptionError('timestamp_granularities', 'this model gives times per segment, not per word');
  }
  if (timestamp_granularities.length > 0 && response_format !== 'verbose_json') {
    throw new OptionError('timestamp_granularities', 'times come with response_format=verbose_json');
  }
  if (stream && response_format !== 'json' && response_format !== 'text') {
    throw new OptionError('stream', `${response_format} cannot be streamed; json can`);
  }
}

function unusedOf(names: readonly string[], { temperature }: TranscriptionRequest): string[] {
  const bare = names.map((name) => name.replace(/\[.*$/, ''));
  return UNUSED.filter((name) => bare.includes(name) && !(name === 'temperature' && temperature === 0));
}
