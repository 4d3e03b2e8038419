// A model written into a folder on disk, resumably: what an interrupted conversion finished is found again.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ModelSink } from '../../convert/byte-source.ts';
import { AsrError, isAsrError } from '../../errors.ts';
import { type FileEntry, filesOf, MANIFEST_PATH, parseManifest } from '../../model/manifest.ts';

/** One line of JSON per shard that is finished: { key, file }. Gone once the manifest stands. */
const JOURNAL = 'conversion.journal';

/**
 * Files go in under their own names, each only when it is complete; the manifest replaces an earlier model's,
 * whose files then go. Call `discard` when the conversion failed and nothing of it is to stay.
 */
export class ModelFolderSink implements ModelSink {
  readonly #folder: string;
  readonly #written = new Set<string>();
  #firstMade: string | undefined;
  #journal: Promise<ReadonlyMap<string, FileEntry>> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async recall(planKey: string): Promise<FileEntry | undefined> {
    this.#journal ??= readJournal(join(this.#folder, JOURNAL));
    const entry = (await this.#journal).get(planKey);
    return entry && (await this.#holds(entry)) ? entry : undefined;
  }

  async write(file: FileEntry, content: Uint8Array<ArrayBuffer>, planKey?: string): Promise<void> {
    const full = join(this.#folder, file.path);
    const earlier = file.path === MANIFEST_PATH ? await this.#earlierFiles() : [];
    try {
      this.#firstMade ??= (await mkdir(this.#folder, { recursive: true })) ?? '';
      this.#written.add(file.path);
      await writeFile(`${full}.partial`, content);
      await rename(`${full}.partial`, full);
      if (planKey !== undefined) await this.#note(planKey, file);
    } catch (cause) {
      await rm(`${full}.partial`, { force: true }).catch(() => undefined); // the first failure is the one to tell
      throw unwritable(full, cause);
    }
    if (file.path === MANIFEST_PATH) await this.#finish(earlier, content);
  }

  /** Takes back everything that was written, also by the interrupted conversion that this one went on with. */
  async discard(): Promise<void> {
    const journal = await readJournal(join(this.#folder, JOURNAL));
    const files = [...this.#written, ...[...journal.values()].map((file) => file.path), JOURNAL];
    // Where nothing could be written, nothing can be taken back either (a file where the folder should be).
    for (const path of files) await rm(join(this.#folder, path), { force: true }).catch(() => undefined);
    // Only a folder that this conversion made, and only when nothing else is in it.
    if (this.#firstMade) await rmdir(this.#folder).catch(() => undefined);
  }

  async #note(key: string, file: FileEntry): Promise<void> {
    const path = join(this.#folder, JOURNAL);
    await appendFile(path, `${JSON.stringify({ key, file })}\n`);
  }

  async #holds(entry: FileEntry): Promise<boolean> {
    const full = join(this.#folder, entry.path);
    const size = await stat(full).then(
      (stats) => stats.size,
      () => undefined, // not there any more
    );
    return size === entry.bytes && (await hashOf(full)) === entry.sha256;
  }

  /** Files of the model that lies in the folder so far; none when there is no model, or none that we can read. */
  async #earlierFiles(): Promise<FileEntry[]> {
    try {
      const text = await readFile(join(this.#folder, MANIFEST_PATH), 'utf8');
      return filesOf(parseManifest(JSON.parse(text)));
    } catch {
      return [];
    }
  }

  async #finish(earlier: readonly FileEntry[], manifest: Uint8Array): Promise<void> {
    const kept = new Set(
      filesOf(parseManifest(JSON.parse(new TextDecoder().decode(manifest)))).map((f) => f.path),
    );
    const dropped = earlier.filter((file) => !kept.has(file.path)).map((file) => file.path);
    for (const path of [...dropped, JOURNAL]) await rm(join(this.#folder, path), { force: true });
  }
}

/** What a journal says; a line that was cut off in the middle says nothing. */
async function readJournal(path: string): Promise<ReadonlyMap<string, FileEntry>> {
  const text = await readFile(path, 'utf8').catch(() => ''); // none yet
  const entries = new Map<string, FileEntry>();
  for (const line of text.split('\n')) {
    try {
      const { key, file } = JSON.parse(line) as { key: string; file: FileEntry };
      entries.set(key, file);
    } catch {
      continue;
    }
  }
  return entries;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function unwritable(path: string, cause: unknown): AsrError {
  if (isAsrError(cause)) return cause;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AsrError('storage-full', `no room for ${path}`, { cause });
  return new AsrError('output-unwritable', `${path} cannot be written (${code ?? 'unknown reason'})`, {
    cause,
  });
}
