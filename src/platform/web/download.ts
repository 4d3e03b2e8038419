// A model from a server into this browser: our own server, a mirror that someone typed, any static host.
// Page and worker.

import { openHttpSource } from '../install/http-source.ts';
import { PATIENCE, type Patience } from '../install/http.ts';
import type { Installed } from '../install/install.ts';
import type { ModelLibrary } from '../../ports.ts';
import { installInTab, type TabInstallOptions } from './install-in-tab.ts';

/**
 * Downloads the model whose manifest.json lies under `address` (see `folderAddress`), or goes on doing so.
 *
 * Fails as `openHttpSource` and `installModel` do; what came until then is kept.
 */
export async function downloadModel(
  address: string,
  library: ModelLibrary,
  options: TabInstallOptions & { readonly patience?: Patience },
): Promise<Installed> {
  const { patience = PATIENCE, signal } = options;
  const http: Parameters<typeof openHttpSource>[1] = (url, init) => fetch(url, init);
  const source = await openHttpSource(address, http, patience, signal);
  return installInTab(source, library, options);
}
