// Compiles the page's messages (src/app/i18n/messages) to typed functions, if they changed since.
// Plain JavaScript, because vite.config.ts and the checks need it before anything else is built.

import { compile } from '@inlang/paraglide-js';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = resolve(import.meta.dirname, '../src/app/i18n');

/** @type {import("@inlang/paraglide-js").CompilerOptions} */
export const MESSAGES = {
  project: join(FOLDER, 'project.inlang'),
  outdir: join(FOLDER, 'paraglide'),
  strategy: ['globalVariable', 'baseLocale'],
  emitReadme: false,
  emitPrettierIgnore: false,
};

export async function ensureMessages() {
  const compiled = join(MESSAGES.outdir, 'messages.js');
  const sources = [import.meta.filename, join(MESSAGES.project, 'settings.json'), ...messageFiles()];
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (existsSync(compiled) && statSync(compiled).mtimeMs >= newest) return;
  await compile(MESSAGES);
}

function messageFiles() {
  const folder = join(FOLDER, 'messages');
  return readdirSync(folder).map((name) => join(folder, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureMessages();
