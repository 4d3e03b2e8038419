// The prompt around the audio rows, as the checkpoint's chat template writes it:
//
//   <|user|>⏎<|begin_of_audio|> audio rows <|end_of_audio|><|user|>⏎instruction<|assistant|>⏎
//
// The second user tag is part of the format; without it, or without the instruction, the model loops
// or stops at once (MODEL.md, "Prompt").

import { AsrError } from '../errors.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

/** Ids before and after the audio rows. */
export interface Prompt {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

const TAGS = ['<|user|>', '<|begin_of_audio|>', '<|end_of_audio|>', '<|assistant|>'];

/**
 * Renders the prompt for `instruction` (white space around it is dropped, as the template does).
 *
 * Fails with `tokenizer-unsupported` when the tokenizer lacks one of the tags.
 */
export function renderPrompt(tokenizer: Tokenizer, instruction: string): Prompt {
  for (const tag of TAGS) {
    if (tokenizer.specialId(tag) === undefined) {
      throw new AsrError('tokenizer-unsupported', `the tokenizer has no ${tag}`);
    }
  }
  return {
    prefix: tokenizer.encode('<|user|>\n<|begin_of_audio|>'),
    suffix: tokenizer.encode(`<|end_of_audio|><|user|>\n${instruction.trim()}<|assistant|>\n`),
  };
}
