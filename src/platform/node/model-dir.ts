// A model installed in a folder: manifest.json and the files it names, each checked before it is used.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AsrError } from '../../errors.ts';
import { type FileEntry, MANIFEST_PATH, filesOf, parseManifest } from '../../model/manifest.ts';
import type { ModelFile, ModelFiles } from '../../ports.ts';

/**
 * Opens the model in `dir` after checking that every file that the manifest names is there and whole
 * (size, then SHA-256; about a second per gigabyte).
 *
 * Fails with `model-not-found`, `manifest-invalid`, `weights-missing` or `weights-corrupt`.
 */
export async function openModelDir(dir: string): Promise<ModelFiles> {
  const root = resolve(dir);
  const manifest = await readManifest(root);
  for (const entry of filesOf(parseManifest(manifest))) await verify(join(root, entry.path), entry);
  return {
    manifest: async () => manifest,
    file: (path, bytes): ModelFile => ({
      path,
      bytes,
      diskPath: join(root, path),
      read: async () => new Uint8Array(await readFile(join(root, path))),
    }),
  };
}

async function readManifest(root: string): Promise<unknown> {
  const path = join(root, MANIFEST_PATH);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AsrError('model-not-found', `there is no ${path}`, { cause });
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new AsrError('manifest-invalid', `${path} is not JSON`, { cause });
  }
}

async function verify(path: string, { bytes, sha256 }: FileEntry): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new AsrError('weights-missing', `${path} is missing`, { cause });
  });
  if (found.size !== bytes) {
    throw new AsrError('weights-corrupt', `${path} has ${found.size} bytes, should have ${bytes}`);
  }
  if ((await hashFile(path)) !== sha256) {
    throw new AsrError('weights-corrupt', `${path} does not match its SHA-256`);
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }))
    hash.update(piece as Uint8Array);
  return hash.digest('hex');
}
