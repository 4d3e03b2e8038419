// Writes the terminal program's own --help into README.md and README.zh-CN.md, between the marks.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { program } from '../src/cli/main.ts';

const ROOT = resolve(import.meta.dirname, '..');
export const READMES = ['README.md', 'README.zh-CN.md'].map((name) => join(ROOT, name));

const BEGIN = '<!-- help: npx tsx scripts/readme-help.ts -->';
const END = '<!-- /help -->';

/** The section as it should be: `sotto --help`, then each command's own behind a fold. */
export function helpSection(): string {
  const sotto = program();
  const fenced = (text: string): string => `\`\`\`\n${text.trimEnd()}\n\`\`\`\n`;
  const commands = sotto.commands.map(
    (command) =>
      `<details><summary><code>sotto ${command.name()}</code></summary>\n\n${fenced(command.helpInformation())}\n</details>\n`,
  );
  return [`${BEGIN}\n`, fenced(sotto.helpInformation()), ...commands, END].join('\n');
}

/** The section as the file has it. */
export function sectionOf(readme: string): string {
  return readme.slice(readme.indexOf(BEGIN), readme.indexOf(END) + END.length);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const path of READMES) {
    const readme = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      readme.replace(sectionOf(readme), () => helpSection()),
    );
  }
}
