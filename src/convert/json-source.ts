// JSON that came from outside, with what `JSON.parse` lets through caught here.

import { AsrError } from '../errors.ts';
import type { ByteSource, CheckpointFiles } from './byte-source.ts';

/** Small files only: config.json and its like. tokenizer.json of the official checkpoint has 6.8 MB. */
const MAX_JSON_BYTES = 64_000_000;

/** A JSON file of a checkpoint; fails with `checkpoint-not-found` or `checkpoint-malformed`. */
export async function readJson(files: CheckpointFiles, path: string, signal: AbortSignal): Promise<unknown> {
  const json = await readOptionalJson(files, path, signal);
  if (json === undefined) throw new AsrError('checkpoint-not-found', `${path} is missing`);
  return json;
}

/** The same, undefined when there is no such file. */
export async function readOptionalJson(
  files: CheckpointFiles,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  const source = await files.open(path, signal);
  return source && parseJson(await readWhole(source, signal), source.name);
}

/** All bytes of a small file. */
export async function readWhole(source: ByteSource, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  if (source.bytes > MAX_JSON_BYTES) {
    throw new AsrError('checkpoint-malformed', `${source.name} has ${source.bytes} bytes, far too many`);
  }
  return new Uint8Array(await source.read(0, source.bytes, signal));
}

/** Parses UTF-8 JSON; fails with `checkpoint-malformed`. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new AsrError('checkpoint-malformed', `${name} is not JSON`, { cause });
  }
}

/**
 * The name that stands twice in the outermost object of well-formed JSON text, if there is one.
 * `JSON.parse` would silently keep the last; a header that says two things about one tensor is hostile.
 */
export function repeatedName(text: string): string | undefined {
  const seen = new Set<string>();
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;
  let depth = 0;
  let atName = false;
  for (const [found] of text.matchAll(token)) {
    if (found === '{' || found === '[') atName = ++depth === 1;
    else if (found === '}' || found === ']') depth--;
    else if (found === ',') atName = depth === 1;
    else if (atName && depth === 1 && found.startsWith('"')) {
      const name = JSON.parse(found) as string;
      if (seen.has(name)) return name;
      seen.add(name);
      atName = false;
    }
  }
  return undefined;
}
