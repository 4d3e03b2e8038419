// Whisper of any size through @huggingface/transformers: a model of the Hub (fetched by that library when first
// asked for), or a folder laid out like one (config.json, tokenizer.json, onnx/…).

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type * as Library from '@huggingface/transformers';
import type { AutomaticSpeechRecognitionPipeline } from '@huggingface/transformers';
import { AsrError } from '../../errors.ts';
import { WINDOW_SAMPLES, WINDOW_SECONDS } from '../../signal/units.ts';
import { type EngineSpec, choiceOf, required } from './engine-spec.ts';
import type { EngineReading, EvalAudio, EvalEngine } from './eval-engine.ts';

const DTYPES = ['fp32', 'fp16', 'q8', 'int8', 'q4', 'q4f16'] as const;
const DEVICES = ['cpu', 'cuda', 'webgpu'] as const;

/** Fails with `model-not-found` where neither a folder nor the Hub has it. */
export async function openWhisper(spec: EngineSpec): Promise<EvalEngine> {
  const asked = required(spec, 'model');
  const folder = resolve(asked);
  const model = existsSync(folder) ? folder : asked;
  const dtype = choiceOf(spec, 'dtype', DTYPES, 'fp32');
  const device = choiceOf(spec, 'device', DEVICES, 'cpu');
  const library = await import('@huggingface/transformers');
  library.env.cacheDir = join(homedir(), '.cache', 'sotto', 'hub');
  library.env.allowRemoteModels = model !== folder;
  const pipeline = await library
    .pipeline('automatic-speech-recognition', model, { dtype, device })
    .catch((cause: unknown) => {
      throw new AsrError('model-not-found', `Whisper ${asked} cannot be loaded`, { cause });
    });
  const languages = knownLanguages(pipeline);
  return {
    facts: {
      model: `${asked.split(/[\\/]/).at(-1)} (${dtype})`,
      device: `${device}, @huggingface/transformers ${library.env.version}`,
      streams: 'yes',
      limits: limitsOf(languages),
      inThisProcess: true,
    },
    transcribe: (audio, signal) => read(library, pipeline, audio, signal),
    close: async () => {
      await pipeline.dispose();
    },
  };
}

/** What the checkpoint's generation_config.json says. */
interface WhisperConfig {
  readonly is_multilingual?: boolean;
  readonly decoder_start_token_id?: number;
  readonly lang_to_id?: Readonly<Record<string, number>>;
  readonly task_to_id?: Readonly<Record<string, number>>;
  readonly no_timestamps_token_id?: number;
}

function configOf(pipeline: AutomaticSpeechRecognitionPipeline): WhisperConfig {
  return (pipeline.model as unknown as { generation_config: WhisperConfig }).generation_config;
}

/** 'en', 'zh' …; empty for a model that knows English only. */
function knownLanguages(pipeline: AutomaticSpeechRecognitionPipeline): ReadonlySet<string> {
  const { is_multilingual, lang_to_id = {} } = configOf(pipeline);
  return new Set(is_multilingual ? Object.keys(lang_to_id).map((token) => token.slice(2, -2)) : []);
}

function limitsOf(languages: ReadonlySet<string>): string[] {
  if (languages.size === 0) return ['knows English only'];
  const cantonese = languages.has('yue') ? [] : ['knows no Cantonese; told that it is Chinese'];
  return [
    'told the language of every clip (English where nobody speaks); this library cannot detect it',
    ...cantonese,
  ];
}

/**
 * The prompt that names the language. Spelled out here, because the library's own list of languages lacks
 * Cantonese, which large-v3 knows.
 */
function promptOf(pipeline: AutomaticSpeechRecognitionPipeline, language: string): number[] | undefined {
  const config = configOf(pipeline);
  if (!config.is_multilingual) return undefined;
  const ids = config.lang_to_id ?? {};
  const fallback = language === 'yue' ? ids['<|zh|>'] : ids['<|en|>'];
  return [
    config.decoder_start_token_id,
    ids[`<|${language}|>`] ?? fallback,
    config.task_to_id?.['transcribe'],
    config.no_timestamps_token_id,
  ].filter((id) => id !== undefined);
}

async function read(
  library: typeof Library,
  pipeline: AutomaticSpeechRecognitionPipeline,
  audio: EvalAudio,
  signal: AbortSignal,
): Promise<EngineReading> {
  signal.throwIfAborted();
  const startMs = performance.now();
  let firstTextMs: number | undefined;
  const stop = new library.InterruptableStoppingCriteria();
  const interrupt = (): void => stop.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  const streamer = new library.TextStreamer(pipeline.tokenizer, {
    skip_prompt: true,
    skip_special_tokens: true,
    callback_function: (text: string) => {
      if (text.trim() !== '') firstTextMs ??= performance.now() - startMs;
    },
  });
  const prompt = promptOf(pipeline, audio.language);
  // More than a window is read in overlapping pieces, as the library's own examples do.
  const long = audio.samples.length > WINDOW_SAMPLES;
  try {
    const output = await pipeline(audio.samples, {
      ...(prompt && { decoder_input_ids: prompt }),
      ...(long && { chunk_length_s: WINDOW_SECONDS, stride_length_s: 5 }),
      streamer,
      stopping_criteria: [stop],
    });
    signal.throwIfAborted();
    const text = [output]
      .flat()
      .map((part) => part.text)
      .join(' ')
      .trim();
    return { text, ...(firstTextMs !== undefined && { firstTextMs }) };
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}
