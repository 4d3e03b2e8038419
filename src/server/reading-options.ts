// Our own options as clients send them: extra fields of a form, extra keys of JSON. One schema for all
// dialects and for the API's description.

import { z } from 'zod';
import { AsrError } from '../errors.ts';
import { DEFAULT_OPTIONS, EXACT_OPTIONS, type TranscribeOptions } from '../engine/events.ts';

/** 'true', '1', 'on' and their opposites; true and false themselves. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', 'on', 'off', 'yes', 'no'])])
  .transform((value) => value === true || ['true', '1', 'on', 'yes'].includes(String(value)));

export const readingOptions = z.object({
  gain: flag.optional().meta({ description: 'Lift quiet speech to a steady level (default: true).' }),
  voice_detection: flag.optional().meta({ description: 'Read only where somebody speaks (default: true).' }),
  loop_guard: flag
    .optional()
    .meta({ description: 'Read again in parts where the model goes in circles (default: true).' }),
  short_pad: flag.optional().meta({
    description: 'Pad a window to its own length instead of 30 s: faster, less exact (default: false).',
  }),
  exact: flag
    .optional()
    .meta({ description: "The reference's behavior; clips up to 30 s (default: false)." }),
  instruction: z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .meta({ description: 'Instruction in place of the one that the model was trained with.' }),
  max_new_tokens: z.coerce
    .number()
    .int()
    .min(1)
    .max(4096)
    .optional()
    .meta({ description: 'Most tokens per segment (default: in proportion to its length).' }),
});

export function transcribeOptions(asked: z.output<typeof readingOptions>): TranscribeOptions {
  const base = asked.exact ? EXACT_OPTIONS : DEFAULT_OPTIONS;
  return {
    ...base,
    gain: asked.gain ?? base.gain,
    voiceDetection: asked.voice_detection ?? base.voiceDetection,
    loopGuard: asked.loop_guard ?? base.loopGuard,
    shortPad: asked.short_pad ?? base.shortPad,
    ...(asked.instruction !== undefined && { instruction: asked.instruction }),
    ...(asked.max_new_tokens !== undefined && { maxNewTokens: asked.max_new_tokens }),
  };
}

/** A bad option, with the field's name for dialects that tell it. */
export class OptionError extends AsrError {
  readonly field: string;

  constructor(field: string, message: string) {
    super('option-invalid', message);
    this.field = field;
  }
}

/** Checks what a client sent; fails with an OptionError that names the field. */
export function parseOptions<T extends z.ZodType>(schema: T, given: unknown): z.output<T> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new OptionError(field, field === '' ? (issue?.message ?? 'invalid') : `${field}: ${issue?.message}`);
}
