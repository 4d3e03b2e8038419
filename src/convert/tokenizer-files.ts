// The checkpoint's tokenizer goes along unchanged.

import { AsrError } from '../errors.ts';
import type { CheckpointFiles } from './byte-source.ts';
import { parseJson, readWhole } from './json-source.ts';

export interface TokenizerFiles {
  readonly tokenizer: Uint8Array<ArrayBuffer>;
  readonly config: Uint8Array<ArrayBuffer>;
}

/** tokenizer.json and tokenizer_config.json. Fails with `checkpoint-not-found` or `tokenizer-unsupported`. */
export async function readTokenizer(files: CheckpointFiles, signal: AbortSignal): Promise<TokenizerFiles> {
  return {
    tokenizer: await readObject(files, 'tokenizer.json', signal),
    config: await readObject(files, 'tokenizer_config.json', signal),
  };
}

async function readObject(
  files: CheckpointFiles,
  path: string,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const source = await files.open(path, signal);
  if (source === undefined) throw new AsrError('checkpoint-not-found', `${path} is missing`);
  const content = await readWhole(source, signal);
  const json = parseJson(content, path);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new AsrError('tokenizer-unsupported', `${path} is not an object`);
  }
  return content;
}
