// Keys that clients show. Kept as hashes only; compared in constant time.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AsrError } from '../../errors.ts';

export interface StoredKey {
  /** Who it is for; appears in logs in the key's place. */
  readonly name: string;
  /** SHA-256, lower-case hex. Keys are 256 random bits, so nothing slower is needed. */
  readonly sha256: string;
}

const keyFile = z.object({
  keys: z.array(z.object({ name: z.string().min(1).max(100), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/** Shortest key that is taken from the environment: shorter ones can be guessed. */
const MIN_KEY_LENGTH = 16;

export class KeyRing {
  readonly #keys: readonly { readonly name: string; readonly hash: Buffer }[];

  constructor(keys: readonly StoredKey[]) {
    this.#keys = keys.map(({ name, sha256 }) => ({ name, hash: Buffer.from(sha256, 'hex') }));
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /** Whose key that is. Looks at every key, so that the time tells nothing. */
  nameOf(key: string): string | undefined {
    const hash = createHash('sha256').update(key).digest();
    let found: string | undefined;
    for (const one of this.#keys) if (timingSafeEqual(one.hash, hash)) found = one.name;
    return found;
  }
}

/** The keys of a file that `addKey` writes; none where there is no file. */
export async function readKeyFile(path: string): Promise<StoredKey[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    return keyFile.parse(JSON.parse(text)).keys;
  } catch (cause) {
    throw new AsrError('option-invalid', `${path} is no file of keys`, { cause });
  }
}

/** Keys as the environment gives them, separated by commas: only their hashes stay in memory. */
export function hashKeys(text: string): StoredKey[] {
  return text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
    .map((key, i) => {
      if (key.length < MIN_KEY_LENGTH) {
        throw new AsrError('option-invalid', `a key should have at least ${MIN_KEY_LENGTH} characters`);
      }
      return { name: `environment-${i + 1}`, sha256: sha256(key) };
    });
}

/** Makes a key, keeps its hash in the file, and returns the key: it is not told again. */
export async function addKey(path: string, name: string): Promise<string> {
  const keys = await readKeyFile(path);
  if (keys.some((key) => key.name === name)) {
    throw new AsrError('option-invalid', `there is a key for "${name}" already`);
  }
  const key = `sotto-${randomBytes(32).toString('base64url')}`;
  await writeKeys(path, [...keys, { name, sha256: sha256(key) }]);
  return key;
}

/** Forgets a key; says whether there was one. */
export async function removeKey(path: string, name: string): Promise<boolean> {
  const keys = await readKeyFile(path);
  const left = keys.filter((key) => key.name !== name);
  if (left.length < keys.length) await writeKeys(path, left);
  return left.length < keys.length;
}

async function writeKeys(path: string, keys: readonly StoredKey[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.part`;
  await writeFile(unfinished, `${JSON.stringify({ keys }, null, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, path);
}

function sha256(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
