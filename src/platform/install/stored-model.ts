// A model in a store, seen by those who load it and by those who show how far it has come.

import { AsrError } from '../../errors.ts';
import { Fields } from '../../fields.ts';
import { type Manifest, MANIFEST_PATH, parseManifest } from '../../model/manifest.ts';
import type { ModelFiles, ShardStore } from '../../ports.ts';
import { type ModelSource, namedFiles, readManifest } from './source.ts';

/** Says what is being installed and from where; gone once the manifest stands. No manifest can name a file so. */
export const INCOMING_PATH = '.incoming.json';

/**
 * The reading side of a store, for the loader. Sizes are checked on every read, hashes were when the file
 * went in (`installModel` with `recheck` reads them again).
 */
export function storedModel(store: ShardStore): ModelFiles {
  return {
    manifest: () => readStoredManifest(store),
    file: (path, bytes) => ({ path, bytes, read: () => readSized(store, path, bytes) }),
  };
}

async function readStoredManifest(store: ShardStore): Promise<unknown> {
  const bytes = await readIfThere(store, MANIFEST_PATH);
  if (bytes === undefined)
    throw new AsrError('model-not-found', 'the model is not installed, or only in part');
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (cause) {
    throw new AsrError('manifest-invalid', `the stored ${MANIFEST_PATH} is not JSON`, { cause });
  }
}

async function readSized(store: ShardStore, path: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const content = await store.read(path);
  if (content.length === bytes) return content;
  throw new AsrError('weights-corrupt', `${path} has ${content.length} bytes, should have ${bytes}`);
}

/** What there is of a model: nothing, a beginning, or all of it. */
export type InstallState =
  | { readonly at: 'absent' }
  | {
      readonly at: 'unfinished';
      /** Address or folder that it came from, to go on with. */
      readonly source: string;
      readonly manifest: Manifest;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | { readonly at: 'whole'; readonly manifest: Manifest; readonly storedBytes: number };

/** A whole model stays `whole` while a newer version of it is on its way. */
export async function installState(store: ShardStore): Promise<InstallState> {
  const files = await store.list();
  const bytes = await readIfThere(store, MANIFEST_PATH);
  if (bytes !== undefined) {
    const storedBytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { at: 'whole', manifest: readManifest(bytes, 'storage'), storedBytes };
  }
  const incoming = await readIfThere(store, INCOMING_PATH);
  if (incoming === undefined) return { at: 'absent' };
  const { source, manifest } = parseIncoming(incoming);
  const wanted = new Map(namedFiles(manifest).map((file) => [file.path, file.bytes]));
  const doneBytes = files.reduce((sum, { path, bytes }) => sum + Math.min(bytes, wanted.get(path) ?? 0), 0);
  const totalBytes = [...wanted.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { at: 'unfinished', source, manifest, doneBytes, totalBytes };
}

/** The record under `INCOMING_PATH`. */
export function incomingRecord({ name, manifestBytes }: ModelSource): Uint8Array<ArrayBuffer> {
  const manifest = JSON.parse(new TextDecoder().decode(manifestBytes)) as unknown;
  return new Uint8Array(new TextEncoder().encode(JSON.stringify({ source: name, manifest })));
}

function parseIncoming(bytes: Uint8Array): { source: string; manifest: Manifest } {
  const json = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  const fields = new Fields(json, INCOMING_PATH, 'manifest-invalid');
  return {
    source: fields.string('source'),
    manifest: parseManifest((json as { manifest: unknown }).manifest),
  };
}

async function readIfThere(store: ShardStore, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const isThere = (await store.list()).some((file) => file.path === path && file.whole);
  return isThere ? store.read(path) : undefined;
}
