// A model from a server into a folder on this machine.

import type { ModelLibrary } from '../../ports.ts';
import { openHttpSource } from '../install/http-source.ts';
import { type HttpFetch, PATIENCE, type Patience } from '../install/http.ts';
import { type Installed, installModel, type InstallOptions } from '../install/install.ts';
import { createNodeSha256 } from './sha256.ts';

export interface NodeDownloadOptions extends Omit<InstallOptions, 'createSha256'> {
  readonly patience?: Patience;
  /** Another way out than Node's own fetch: through a proxy, say. */
  readonly http?: HttpFetch;
}

/**
 * Downloads the model whose manifest.json lies under `address` (see `folderAddress`), or goes on doing so.
 *
 * Fails as `openHttpSource` and `installModel` do; what came until then is kept.
 */
export async function downloadModel(
  address: string,
  library: ModelLibrary,
  { patience = PATIENCE, http = fetch, ...options }: NodeDownloadOptions,
): Promise<Installed> {
  const source = await openHttpSource(address, http, patience, options.signal);
  return installModel(source, library, { ...options, createSha256: createNodeSha256 });
}
