// Writes THIRD_PARTY_NOTICES.md: every package that Sotto runs with, its licence and the licence's text.
//
//   node scripts/notices.mjs
//
// Packages that only help to build or test are left out; what is not installed on this platform is too.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

const packages = Object.entries(lock.packages)
  .filter(([path, entry]) => path !== '' && !entry.dev && !entry.devOptional && !entry.optional)
  .map(([path]) => describe(path))
  .filter((description) => description !== undefined)
  .sort((a, b) => a.name.localeCompare(b.name, 'en'));

/** What a package says of itself. */
function describe(path) {
  const folder = join(ROOT, path);
  if (!existsSync(join(folder, 'package.json'))) return undefined;
  const { name, version, license, licenses, author } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
  return {
    name,
    version,
    licence: license ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'see its text',
    author: typeof author === 'string' ? author : author?.name,
    text,
  };
}

/** Packages that share a text to the letter share its printing. */
function byText() {
  const groups = new Map();
  for (const entry of packages) {
    const key =
      entry.text === '' ? `${entry.licence}${entry.author ? ` © ${entry.author}` : ''}` : entry.text;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return groups;
}

const lines = [
  '# Third-party notices',
  '',
  'Sotto itself is under the MIT licence (LICENSE). It runs with the packages below, each under its own.',
  'Made by `node scripts/notices.mjs` from what is installed; packages that only build or test are not listed.',
  '',
  '| package | version | licence |',
  '| --- | --- | --- |',
  ...packages.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`),
  '',
  'The weights of GLM-ASR-Nano-2512 are published by Z.ai under the MIT licence; Sotto does not ship them.',
  'The sample model and its clips were made with espeak-ng (GPL-3.0-or-later) and flite (BSD-like); speech that',
  'they synthesise is not covered by their licences.',
  '',
  '## Texts',
];
for (const [text, entries] of byText()) {
  lines.push('', `### ${entries.map(({ name }) => name).join(', ')}`, '', '```text', text, '```');
}
writeFileSync(join(ROOT, 'THIRD_PARTY_NOTICES.md'), `${lines.join('\n')}\n`);
