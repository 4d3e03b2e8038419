// The house keeps its floors: an import may only go down. The table is the one in ARCHITECTURE.md.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Both platforms answer the same ports with the same rooms. */
const PLATFORM = [
  'errors',
  'fields',
  'ports',
  'signal',
  'model',
  'engine',
  'wire',
  'convert',
  'platform/media',
  'platform/thread',
  'platform/install',
  'platform/pull',
];

/** Room → the rooms it may import from. A room may always import itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  bytes: [],
  errors: [],
  fields: ['errors'],
  ports: [],
  signal: ['errors'],
  text: ['errors'],
  model: ['bytes', 'errors', 'fields', 'ports', 'text'],
  engine: ['bytes', 'errors', 'fields', 'ports', 'signal', 'model', 'text'],
  convert: ['errors', 'fields', 'ports', 'model'],
  wire: ['errors', 'fields', 'engine'],
  'platform/media': ['errors', 'signal'],
  'platform/thread': ['errors', 'signal', 'engine', 'wire'],
  'platform/install': ['bytes', 'errors', 'fields', 'ports', 'model'],
  'platform/pull': [
    'bytes',
    'errors',
    'fields',
    'ports',
    'model',
    'convert',
    'wire',
    'platform/thread',
    'platform/install',
  ],
  'platform/web': PLATFORM,
  'platform/node': PLATFORM,
  workers: [
    'errors',
    'ports',
    'signal',
    'model',
    'engine',
    'wire',
    'convert',
    'platform/web',
    'platform/media',
    'platform/thread',
    'platform/install',
    'platform/pull',
  ],
  'workers/audio': ['signal', 'wire'],
  app: [
    'bytes',
    'errors',
    'fields',
    'ports',
    'signal',
    'text',
    'model',
    'engine',
    'wire',
    'platform/web',
    'platform/install',
    'platform/pull',
    'workers',
    'workers/audio',
  ],
  server: [
    'errors',
    'fields',
    'ports',
    'signal',
    'text',
    'model',
    'engine',
    'wire',
    'platform/node',
    'platform/thread',
    'convert',
  ],
  cli: [
    'errors',
    'fields',
    'ports',
    'signal',
    'text',
    'model',
    'engine',
    'wire',
    'platform/node',
    'platform/pull',
    'convert',
    'server',
    'eval',
  ],
  eval: ['bytes', 'errors', 'fields', 'ports', 'signal', 'text', 'model', 'engine', 'wire', 'platform/node'],
};

/** Wire may know the engine's types, not its code; ports of a machine likewise. */
const TYPES_ONLY: readonly [string, string][] = [['wire', 'engine']];

const IMPORT =
  /(?:^|\n)\s*(import|export)(\s+type)?\s[^;'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function roomOf(path: string): string {
  const parts = relative(ROOT, path)
    .replace(/\.(ts|svelte|js)$/, '')
    .split('/');
  if (parts[0] === 'workers') return parts[1] === 'audio' ? 'workers/audio' : 'workers';
  if (parts[1] === 'platform' && parts.length > 2) return `platform/${parts[2]}`;
  return parts[1] ?? '';
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(IMPORT)].flatMap((match) => {
    const target = match[3] ?? match[4] ?? match[5] ?? '';
    return target.startsWith('.')
      ? [{ file, target: resolve(dirname(file), target), typeOnly: match[2] !== undefined }]
      : [];
  });
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|svelte)$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('/paraglide/'));
}

function broken({ file, target, typeOnly }: Import): string | undefined {
  const from = roomOf(file);
  const to = roomOf(target);
  if (from === to) return undefined;
  const claim = `${relative(ROOT, file)} imports ${relative(ROOT, target)}`;
  if (!(MAY_IMPORT[from] ?? []).includes(to)) return claim;
  const typesOnly = TYPES_ONLY.some(([a, b]) => a === from && b === to);
  return typesOnly && !typeOnly ? `${claim} (types only, please)` : undefined;
}

test('imports go down, never up', () => {
  const wrong = [...sources('src'), ...sources('workers')].flatMap(importsOf).map(broken);
  expect(wrong.filter((claim) => claim !== undefined)).toEqual([]);
});

test('every room stands in the table', () => {
  const rooms = new Set([...sources('src'), ...sources('workers')].map(roomOf));
  expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
});

test('the walk notices an import that goes up, also a dynamic or bare one', () => {
  const file = join(ROOT, 'src/signal/fake.ts');
  const up = (target: string): string | undefined =>
    broken({ file, target: join(ROOT, target), typeOnly: false });
  expect(up('src/engine/transcribe.ts')).toContain('src/signal/fake.ts imports src/engine');
  expect(up('src/errors.ts')).toBeUndefined();
  const text =
    "import '../engine/a.ts';\nconst m = import('../engine/b.ts');\nexport { c } from '../engine/c.ts';";
  expect([...text.matchAll(IMPORT)].map((m) => m[3] ?? m[4] ?? m[5])).toEqual([
    '../engine/a.ts',
    '../engine/b.ts',
    '../engine/c.ts',
  ]);
});

test('no drawer is called utils, misc, helpers, common or types', () => {
  const drawers = /\/(utils?|misc|helpers?|common|types|index)\.(ts|svelte)$/;
  expect([...sources('src'), ...sources('workers')].filter((file) => drawers.test(file))).toEqual([]);
});
