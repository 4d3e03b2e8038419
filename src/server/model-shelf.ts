// The models that this server offers: each a folder that the converter or `sotto pull` has written.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAsrError } from '../errors.ts';
import { MANIFEST_PATH, type Manifest, filesOf, parseManifest, totalBytes } from '../model/manifest.ts';

export interface ShelfModel {
  readonly id: string;
  readonly dir: string;
  readonly manifest: Manifest;
}

export interface ShelfPlaces {
  /** Models by name. */
  readonly named: Readonly<Record<string, string>>;
  /** Folders that hold a folder per model. */
  readonly libraries: readonly string[];
}

export class ModelShelf {
  readonly #places: ShelfPlaces;

  constructor(places: ShelfPlaces) {
    this.#places = places;
  }

  /** Whole models, as they are on disk now; the named ones first. */
  async list(): Promise<ShelfModel[]> {
    const dirs = new Map(Object.entries(this.#places.named));
    for (const library of this.#places.libraries) {
      for (const id of await foldersIn(library)) if (!dirs.has(id)) dirs.set(id, join(library, id));
    }
    const models = await Promise.all([...dirs].map(([id, dir]) => readModel(id, dir)));
    return models.filter((model) => model !== undefined);
  }

  async find(id: string): Promise<ShelfModel | undefined> {
    return (await this.list()).find((model) => model.id === id);
  }
}

/** A file of a model, if its manifest names it: no other path is ever opened. */
export function fileOf(model: ShelfModel, name: string): { path: string; sha256?: string } | undefined {
  if (name === MANIFEST_PATH) return { path: join(model.dir, MANIFEST_PATH) };
  const entry = filesOf(model.manifest).find(({ path }) => path === name);
  return entry && { path: join(model.dir, entry.path), sha256: entry.sha256 };
}

/** What a page is told of the models here. Addresses are relative to the list's own. */
export function offersOf(models: readonly ShelfModel[]): object[] {
  return models
    .filter(({ id }) => id !== 'sample') // every page knows it
    .map(({ id, manifest }) => ({
      name: `${manifest.name} (${manifest.profile})`,
      address: `${id}/`,
      bytes: totalBytes(manifest),
    }));
}

async function readModel(id: string, dir: string): Promise<ShelfModel | undefined> {
  try {
    const text = await readFile(join(dir, MANIFEST_PATH), 'utf8');
    return { id, dir, manifest: parseManifest(JSON.parse(text)) };
  } catch (error) {
    // Not there yet, or half written: then it is not on the shelf. A disk that fails is another matter.
    if (error instanceof SyntaxError || isAsrError(error) || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function foldersIn(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
