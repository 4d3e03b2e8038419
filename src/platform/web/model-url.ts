// A model that is read straight from the web, nothing stored: for the sample model and for tests.
// Big models go through the shard store instead.

import { AsrError } from '../../errors.ts';
import { MANIFEST_PATH } from '../../model/manifest.ts';
import type { ModelFile, ModelFiles } from '../../ports.ts';

/** The model below `baseUrl` (which ends in a slash). */
export function modelAtUrl(baseUrl: string): ModelFiles {
  return {
    manifest: async () => {
      const bytes = await fetchBytes(baseUrl, MANIFEST_PATH, 'model-not-found');
      try {
        return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
      } catch (cause) {
        throw new AsrError('manifest-invalid', `${baseUrl}${MANIFEST_PATH} is not JSON`, { cause });
      }
    },
    file: (path, bytes): ModelFile => ({
      path,
      bytes,
      read: () => fetchBytes(baseUrl, path, 'weights-missing'),
    }),
  };
}

async function fetchBytes(
  baseUrl: string,
  path: string,
  missing: 'model-not-found' | 'weights-missing',
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(path, baseUrl).href;
  const response = await fetch(url).catch((cause: unknown) => {
    throw new AsrError('source-unreachable', `${url} cannot be reached`, { cause });
  });
  if (!response.ok) throw new AsrError(missing, `${url} answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
