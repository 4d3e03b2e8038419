// Where a model comes from: a server, a mirror, a folder on disk.

import { AsrError } from '../../errors.ts';
import {
  type FileEntry,
  type Manifest,
  MANIFEST_PATH,
  filesOf,
  parseManifest,
} from '../../model/manifest.ts';

export interface ModelSource {
  /** For people: an address or a folder. */
  readonly name: string;
  readonly manifest: Manifest;
  /** The manifest as it was found. */
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  /** How often a file may turn out wrong before it is given up. A disk gives the same bytes every time. */
  readonly triesPerFile: number;
  /**
   * The file from `startByte` to its end, never more. Gets over what passes, calling `onTrouble` each time;
   * else fails with `source-unreachable`, `source-changed`, `weights-missing`, or as the signal says.
   */
  read(
    entry: FileEntry,
    startByte: number,
    signal: AbortSignal,
    onTrouble: () => void,
  ): AsyncIterable<Uint8Array>;
}

/** Reads a manifest that came from `from`. Fails with `manifest-invalid`. */
export function readManifest(bytes: Uint8Array, from: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AsrError('manifest-invalid', `${MANIFEST_PATH} from ${from} is not JSON`, { cause });
  }
  return parseManifest(json);
}

/** The name under which a library keeps a model: a plain file name. Versions of one model share it. */
export function modelId({ name, profile }: Manifest): string {
  const plain = `${name}-${profile}`.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return plain.slice(0, 100);
}

/**
 * Every file of the manifest once. Fails with `manifest-invalid` when a name does not carry its file's hash:
 * only because names do, a file found under its name is the right one.
 */
export function namedFiles(manifest: Manifest): FileEntry[] {
  const byPath = new Map<string, FileEntry>();
  for (const file of filesOf(manifest)) {
    if (!file.path.includes(file.sha256.slice(0, 16))) {
      throw new AsrError('manifest-invalid', `${file.path} does not carry its hash in its name`);
    }
    byPath.set(file.path, file);
  }
  return [...byPath.values()];
}
