// Which program reads: results of another build of Sotto are no results of this one.

import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOf } from '../results.ts';

let mark: Promise<string> | undefined;

/** Changes with every change of Sotto's own code and of the runtime beneath it. */
export function programMark(): Promise<string> {
  return (mark ??= ownMark());
}

async function ownMark(): Promise<string> {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  const here = fileURLToPath(import.meta.url);
  // In the bundle all code lies in one folder; run from source, in `src/`.
  const fromSource = here.endsWith('.ts');
  const folder = fromSource ? join(dirname(here), '..', '..') : dirname(here);
  return hashOf(`${version} ${await hashOfCode(folder, fromSource ? '.ts' : '.js')}`);
}

/** The hash of all code in a folder and below it, by name and content. */
export async function hashOfCode(folder: string, ending: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(ending)).sort();
  const files = await Promise.all(
    names.map(async (name) => `${name} ${hashOf(await readFile(join(folder, name)))}`),
  );
  return hashOf(files.join('\n'));
}
