// Which engine, told in one line: its kind, then its settings.
//
//   sotto,gain=off,name=no gain
//   endpoint,url=http://127.0.0.1:8000/v1,model=whisper-1,key-env=OPENAI_API_KEY

import { AsrError } from '../../errors.ts';

/** Kind → its settings and what they take, as the help says it. */
export const ENGINE_KINDS = {
  sotto: {
    model: 'folder of a converted model',
    device: 'auto, cpu, webgpu or cuda',
    threads: 'number',
    exact: 'on: as the reference reads',
    gain: 'on, off',
    voice: 'voice detection: on, off',
    loops: 'loop guard: on, off',
    pad: 'what windows are padded to: window (30 s), short (their own length)',
    alone: 'on: every utterance in a window of its own, none read beside another',
    prompt: 'instruction',
    'max-tokens': 'number',
    filter: 'none, band (300–3000 Hz), peak (normalize to −1 dBFS)',
  },
  endpoint: {
    url: 'base address, up to /v1',
    model: "the server's name for it",
    'key-env': 'environment variable that holds the key',
    stream: 'on: ask for text as it comes',
    language: 'off: do not tell the language',
    timeout: 'seconds per clip',
  },
  whisper: {
    model: 'model of the Hub, or a folder',
    dtype: 'fp32, fp16, q8, q4',
    device: 'cpu, cuda, webgpu',
  },
  paraformer: { dir: 'folder with model.int8.onnx or model.onnx, and tokens.txt' },
} as const satisfies Record<string, Record<string, string>>;

export type EngineKind = keyof typeof ENGINE_KINDS;

export interface EngineSpec {
  readonly kind: EngineKind;
  /** What its row is called. */
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** Fails with `option-invalid`, naming what the kind takes. */
export function parseEngineSpec(line: string): EngineSpec {
  const [kind = '', ...pairs] = line.split(',').map((part) => part.trim());
  if (!isKind(kind)) refuse(`"${kind}" is no engine; there are ${Object.keys(ENGINE_KINDS).join(', ')}`);
  const known = ['name', ...Object.keys(ENGINE_KINDS[kind])];
  const settings: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const key = at < 0 ? pair : pair.slice(0, at);
    if (at < 0 || !known.includes(key)) refuse(`"${pair}" of ${kind}: it takes ${known.join('=, ')}=`);
    settings[key] = pair.slice(at + 1);
  }
  const { name, ...rest } = settings;
  return { kind, name: name ?? defaultName(kind, rest), settings: rest };
}

function isKind(kind: string): kind is EngineKind {
  return kind in ENGINE_KINDS;
}

/** Kind and settings, folders and addresses left out. */
function defaultName(kind: EngineKind, settings: Readonly<Record<string, string>>): string {
  const model = settings['model']?.split('/').at(-1);
  const told = Object.entries(settings).filter(
    ([key]) => !['model', 'url', 'dir', 'key-env', 'device', 'threads', 'timeout'].includes(key),
  );
  return [kind === 'sotto' && model === undefined ? kind : (model ?? kind), ...told.map(sayPair)].join(' ');
}

function sayPair([key, value]: [string, string]): string {
  return `${key} ${value}`;
}

/** A setting that is on or off. */
export function switchOf(spec: EngineSpec, key: string, fallback: boolean): boolean {
  const value = spec.settings[key];
  if (value === undefined) return fallback;
  if (value !== 'on' && value !== 'off') refuse(`${key}=${value}: it should be on or off`);
  return value === 'on';
}

export function numberOf(spec: EngineSpec, key: string): number | undefined {
  const value = spec.settings[key];
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    refuse(`${key}=${value}: it should be a whole number from 1 up`);
  return number;
}

export function choiceOf<T extends string>(
  spec: EngineSpec,
  key: string,
  choices: readonly T[],
  fallback: T,
): T {
  const value = spec.settings[key] ?? fallback;
  return (
    choices.find((choice) => choice === value) ?? refuse(`${key}=${value}: there are ${choices.join(', ')}`)
  );
}

export function required(spec: EngineSpec, key: string): string {
  return spec.settings[key] ?? refuse(`${spec.kind} needs ${key}=…`);
}

function refuse(why: string): never {
  throw new AsrError('option-invalid', why);
}
