// Reads a stored model again and compares every file with its hash. What storage has damaged is thrown away,
// so that fetching the model again brings that part and nothing else.

import { AsrError } from '../../errors.ts';
import { type FileEntry, type Manifest } from '../../model/manifest.ts';
import { ProgressMeter, type InstallProgress } from '../../platform/install/progress.ts';
import { namedFiles } from '../../platform/install/source.ts';
import type { Sha256 } from '../../platform/install/sha256.ts';
import { createBrowserSha256 } from '../../platform/web/sha256.ts';
import type { ShardStore } from '../../ports.ts';

/** Fails with `weights-corrupt`, naming a file, when anything was wrong. */
export async function checkModel(
  manifest: Manifest,
  store: ShardStore,
  {
    signal,
    onProgress,
  }: { readonly signal: AbortSignal; readonly onProgress: (progress: InstallProgress) => void },
): Promise<void> {
  const files = namedFiles(manifest);
  const meter = new ProgressMeter(
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    onProgress,
  );
  const sha256 = await createBrowserSha256();
  const damaged: string[] = [];
  for (const file of files) {
    const right = await isRight(file, store, sha256, meter, signal);
    if (right) continue;
    damaged.push(file.path);
    await store.truncate(file.path, 0);
  }
  if (damaged.length > 0) throw new AsrError('weights-corrupt', `storage has damaged ${damaged.join(', ')}`);
}

async function isRight(
  { path, bytes, sha256: expected }: FileEntry,
  store: ShardStore,
  sha256: Sha256,
  meter: ProgressMeter,
  signal: AbortSignal,
): Promise<boolean> {
  sha256.reset();
  let readBytes = 0;
  for await (const part of store.stream(path)) {
    signal.throwIfAborted();
    sha256.update(part);
    readBytes += part.length;
    meter.stand(path, readBytes, 'checking');
  }
  return readBytes === bytes && sha256.hex() === expected;
}
