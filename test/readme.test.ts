import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { helpSection, READMES, sectionOf } from '../scripts/readme-help.ts';

describe.each(READMES)('%s', (path) => {
  const readme = readFileSync(path, 'utf8');

  test('quotes the help of the terminal program as it is (npx tsx scripts/readme-help.ts writes it)', () => {
    expect(sectionOf(readme)).toBe(helpSection());
  });

  test('points to files that exist', () => {
    const targets = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target]) => target ?? '');
    expect(targets.length).toBeGreaterThan(3);
    for (const target of targets) expect(existsSync(join(dirname(path), target)), target).toBe(true);
  });
});
