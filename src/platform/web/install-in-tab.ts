// Installing among tabs: one writes, the others that want the same wait their turn and show its progress.
// When the writer is closed, stopped or fails, the next goes on where it was. Page and worker.

import { type Installed, installModel } from '../install/install.ts';
import type { InstallProgress } from '../install/progress.ts';
import { modelId, type ModelSource } from '../install/source.ts';
import type { ModelLibrary } from '../../ports.ts';
import { amongTabs, openModelChannel } from './model-channel.ts';
import { createBrowserSha256 } from './sha256.ts';

export interface TabInstallOptions {
  /** Aborting pauses: what came is kept, and asking again goes on from there. Another tab that asked goes on. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: InstallProgress) => void;
  /** Files fetched at once; default 3. */
  readonly connections?: number;
  /** Read and check again what is whole already, and mend it. */
  readonly recheck?: boolean;
}

/** `installModel` for a browser. Ends with an abort error also when the model is deleted in another tab. */
export async function installInTab(
  source: ModelSource,
  library: ModelLibrary,
  options: TabInstallOptions,
): Promise<Installed> {
  const waiting = (progress: InstallProgress): InstallProgress => ({ ...progress, at: 'waiting' });
  return amongTabs(modelId(source.manifest), options, waiting, (turn) =>
    installModel(source, library, { ...options, ...turn, createSha256: createBrowserSha256 }),
  );
}

/** Follows whoever is installing this model, without asking for it. Returns how to stop listening. */
export function watchInstall(id: string, onProgress: (progress: InstallProgress) => void): () => void {
  const channel = openModelChannel(id, { onProgress });
  return () => channel.close();
}
