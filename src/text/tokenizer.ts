// Ids ⇄ text with the checkpoint's own tokenizer.json.
//
// text → ids is the library's job (regex split, merges). ids → text is done here, on bytes: a character
// may span several ids, so a stream of ids holds back the bytes of an unfinished one.

import { Tokenizer as BpeTokenizer } from '@huggingface/tokenizers';
import { AsrError } from '../errors.ts';
import { bytesOfToken } from './byte-alphabet.ts';

/** The part of tokenizer.json that is read here. */
interface TokenizerFile {
  readonly model: { readonly type?: string; readonly vocab: Readonly<Record<string, number>> };
  readonly added_tokens?: readonly { id: number; content: string; special: boolean }[];
}

/** Parts that tokenizer.json may leave out, but the library wants to see named. */
const ABSENT_PARTS = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };

export class Tokenizer {
  readonly #bpe: BpeTokenizer;
  readonly #tokens: string[] = [];
  readonly #special = new Set<number>();
  readonly #added = new Map<string, number>();

  /**
   * @param file tokenizer.json, parsed
   * @param config tokenizer_config.json, parsed
   *
   * Fails with `tokenizer-unsupported` unless the vocabulary is byte-level BPE.
   */
  constructor(file: unknown, config: unknown) {
    const { model, added_tokens: addedTokens = [] } = checked(file);
    for (const [token, id] of Object.entries(model.vocab)) this.#tokens[id] = token;
    for (const { id, content, special } of addedTokens) {
      this.#tokens[id] = content;
      this.#added.set(content, id);
      if (special) this.#special.add(id);
    }
    this.#bpe = bpe(file, config);
  }

  /** Number of ids, special tokens included. */
  get size(): number {
    return this.#tokens.length;
  }

  /** Id of a special or added token, by its text; undefined where the tokenizer has none such. */
  specialId(content: string): number | undefined {
    return this.#added.get(content);
  }

  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }

  /** Ids of `text`. Special tokens written out in it are recognized; nothing is put before or after. */
  encode(text: string): number[] {
    return this.#bpe.encode(text, { add_special_tokens: false }).ids;
  }

  /** Text of `ids` without special tokens; bytes that form no character become U+FFFD. */
  detokenize(ids: Iterable<number>): string {
    const stream = this.stream();
    let text = '';
    for (const id of ids) text += stream.push(id);
    return text + stream.end();
  }

  stream(): DetokenizerStream {
    return new DetokenizerStream((id) => this.#bytes(id));
  }

  #bytes(id: number): Uint8Array {
    const token = this.#tokens[id];
    if (token === undefined || this.#special.has(id)) return NO_BYTES;
    return this.#added.has(token) ? new TextEncoder().encode(token) : bytesOfToken(token);
  }
}

const NO_BYTES = new Uint8Array(0);

/** Ids in, text out; holds back the bytes of a character until it is whole. */
export class DetokenizerStream {
  readonly #bytesOf: (id: number) => Uint8Array;
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(bytesOf: (id: number) => Uint8Array) {
    this.#bytesOf = bytesOf;
  }

  /** The text that `id` completes; empty while a character is unfinished. */
  push(id: number): string {
    return this.#utf8.decode(this.#bytesOf(id), { stream: true });
  }

  /** What is left: U+FFFD for an unfinished character, else nothing. The stream may be used again. */
  end(): string {
    return this.#utf8.decode();
  }
}

function bpe(file: unknown, config: unknown): BpeTokenizer {
  try {
    return new BpeTokenizer({ ...ABSENT_PARTS, ...(file as object) }, config ?? {});
  } catch (cause) {
    throw new AsrError('tokenizer-unsupported', 'tokenizer.json has a part that is not supported', { cause });
  }
}

function checked(file: unknown): TokenizerFile {
  const { model, added_tokens: added } = (file ?? {}) as Partial<TokenizerFile>;
  if (
    model?.type !== 'BPE' ||
    typeof model.vocab !== 'object' ||
    (added !== undefined && !Array.isArray(added))
  ) {
    throw new AsrError('tokenizer-unsupported', 'tokenizer.json does not hold a byte-level BPE vocabulary');
  }
  return file as TokenizerFile;
}
