// Files that Gradio's clients upload first and name later: only names that we gave out are opened.

import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Upload } from '../uploads.ts';

/** An uploaded file is kept this long for the calls that name it. */
const KEEP_MS = 30 * 60_000;

export class KeptUploads {
  readonly #files = new Map<string, { readonly path: string; readonly timer: NodeJS.Timeout }>();
  readonly #most: number;

  /** `most`: files kept at once; the oldest goes first. */
  constructor(most = 500) {
    this.#most = most;
  }

  /** Takes over the file and returns the name that a call may give it by. */
  async keep({ path, name }: Upload): Promise<string> {
    const issued = `upload/${randomBytes(16).toString('hex')}/${plainName(name)}`;
    const timer = setTimeout(() => void this.#remove(issued), KEEP_MS).unref();
    this.#files.set(issued, { path, timer });
    const [oldest] = this.#files.keys();
    if (this.#files.size > this.#most && oldest !== undefined) await this.#remove(oldest);
    return issued;
  }

  /** The file on disk, if we gave that name out. */
  find(issued: string): string | undefined {
    return this.#files.get(issued)?.path;
  }

  async #remove(issued: string): Promise<void> {
    const file = this.#files.get(issued);
    this.#files.delete(issued);
    if (file === undefined) return;
    clearTimeout(file.timer);
    await rm(file.path, { force: true });
  }
}

/** Clients show the last part of the name; it is never opened. */
function plainName(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(-80);
  return plain.replace(/^[._]+/, '') || 'audio';
}
