// The built page with more beside it: a folder of links, to be served by a static host.

import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BUILT_PAGE } from './person.ts';

/** With these a page may use WASM threads from its first load on. */
export const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export interface BuiltSite {
  readonly folder: string;
  remove(): Promise<void>;
}

/** `beside`: files and folders by the name that they get in the site. The page must have been built. */
export async function makeBuiltSite(beside: Readonly<Record<string, string>> = {}): Promise<BuiltSite> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-site-'));
  for (const name of await readdir(BUILT_PAGE)) await symlink(join(BUILT_PAGE, name), join(folder, name));
  for (const [name, path] of Object.entries(beside)) await symlink(resolve(path), join(folder, name));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
