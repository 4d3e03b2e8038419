// Settings: a file, then the environment, then flags; later ones win. One schema for all three.

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AsrError } from '../errors.ts';

const list = z.preprocess(
  (value) =>
    typeof value === 'string'
      ? value
          .split(',')
          .map((one) => one.trim())
          .filter(Boolean)
      : value,
  z.array(z.string()),
);
const switched = z.preprocess(
  (value) => (typeof value === 'string' ? ['1', 'true', 'yes', 'on'].includes(value.toLowerCase()) : value),
  z.boolean(),
);
const whole = z.coerce.number().int();

export const settingsSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: whole.min(0).max(65_535).default(7860),
  /** Folder with a folder per model. */
  models: z.string().optional(),
  /** The model for who names none. */
  model: z.string().optional(),
  device: z.enum(['auto', 'cpu', 'webgpu', 'cuda']).default('auto'),
  threads: whole.min(1).optional(),
  /** Stretches decoded side by side. */
  seats: whole.min(1).max(256).default(16),
  /** Recordings read at once; the others wait. */
  parallel: whole.min(1).max(256).default(16),
  /** Recordings that may wait: all together, and of one client. */
  waiting: whole.min(0).max(100_000).default(100),
  waitingPerClient: whole.min(0).max(100_000).default(50),
  /** Redis, where several servers share one line. */
  queue: z
    .string()
    .regex(/^rediss?:\/\//, 'an address like redis://host:6379')
    .optional(),
  /** Recordings of the shared line that are read here at once; 0: none, this server only takes them in. */
  take: whole.min(0).max(256).optional(),
  /** Models in memory at once. */
  maxModels: whole.min(1).default(1),
  /** Minutes after which a model that nobody uses leaves memory; 0: never. */
  idleMinutes: z.coerce.number().min(0).default(30),
  /** Load the model when the server starts. */
  warmUp: switched.default(true),
  maxUploadMb: z.coerce.number().min(1).default(1000),
  maxAudioMinutes: z.coerce.number().min(0.01).default(600),
  /** Seconds from a request to its last word. */
  deadline: z.coerce.number().min(1).default(3600),
  /** Requests per minute and client; 0: any number. */
  rate: whole.min(0).default(0),
  /** Seconds that work under way gets when the server is stopped. */
  grace: z.coerce.number().min(0).default(30),
  allowHost: list.default([]),
  allowOrigin: list.default([]),
  keyFile: z.string().default(join(homedir(), '.config', 'sotto', 'keys.json')),
  /** Keys in plain text, from the environment; only their hashes are kept. */
  apiKeys: z.string().optional(),
  /** Make a first key where there is none. */
  makeKey: switched.default(false),
  insecure: switched.default(false),
  tlsCert: z.string().optional(),
  tlsKey: z.string().optional(),
  log: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('warn'),
});

export type Settings = z.output<typeof settingsSchema>;
export type GivenSettings = Partial<z.input<typeof settingsSchema>>;

/** What a file says; an unknown name in it is an error, since it would be a wish that nobody hears. */
export async function readSettingsFile(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AsrError('option-invalid', `${path} cannot be read`, { cause });
  });
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (cause) {
    throw new AsrError('option-invalid', `${path} holds no JSON object`, { cause });
  }
}

/** SOTTO_PORT → port, SOTTO_MAX_UPLOAD_MB → maxUploadMb. */
export function settingsFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(settingsSchema.shape)) {
    const value = env[`SOTTO_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`];
    if (value !== undefined && value !== '') found[name] = value;
  }
  return found;
}

/** Later layers win. Fails with `option-invalid` and the setting's name. */
export function mergeSettings(...layers: readonly Record<string, unknown>[]): Settings {
  const merged: Record<string, unknown> = {};
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer)) if (value !== undefined) merged[name] = value;
  }
  const result = settingsSchema.safeParse(merged);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AsrError('option-invalid', `${issue?.path.join('.') || 'settings'}: ${issue?.message}`);
}
