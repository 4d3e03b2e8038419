// A model from the user's own disk: a folder that was picked or dropped, or its files. For people who cannot
// reach a server, and for bringing a model along on a stick.

import { AsrError } from '../../errors.ts';
import { MANIFEST_PATH } from '../../model/manifest.ts';
import type { ModelLibrary } from '../../ports.ts';
import type { Installed } from '../install/install.ts';
import { modelId, type ModelSource, namedFiles, readManifest } from '../install/source.ts';
import type { GivenFile } from './given-file.ts';
import { installInTab, type TabInstallOptions } from './install-in-tab.ts';

/**
 * Copies a model into the library, checking it like a download.
 *
 * Before anything is copied, fails with `model-not-found` (no manifest.json among the files, or several) and
 * `weights-missing` (naming what is missing both here and in the library). Then with `weights-corrupt`,
 * naming the file, and as `installModel` does.
 */
export async function importModel(
  given: readonly GivenFile[],
  library: ModelLibrary,
  options: TabInstallOptions,
): Promise<Installed> {
  const source = await openGivenFiles(given);
  const stored = await library.store(modelId(source.manifest)).list();
  const here = new Set(stored.filter((file) => file.whole).map((file) => file.path));
  const missing = namedFiles(source.manifest).filter(
    (entry) => !here.has(entry.path) && !source.holds(entry.path),
  );
  const [first] = missing;
  if (first !== undefined) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
    throw new AsrError('weights-missing', `${first.path}${more} of ${source.name} is missing`);
  }
  return installInTab(source, library, options);
}

type GivenSource = ModelSource & { holds(path: string): boolean };

async function openGivenFiles(given: readonly GivenFile[]): Promise<GivenSource> {
  const manifests = given.filter(({ path }) => nameOf(path) === MANIFEST_PATH);
  const [first] = manifests;
  if (first === undefined || manifests.length > 1) {
    const found = first === undefined ? `no ${MANIFEST_PATH}` : `${manifests.length} files ${MANIFEST_PATH}`;
    throw new AsrError(
      'model-not-found',
      `there is ${found} among what was chosen; choose one model's folder`,
    );
  }
  const folder = folderOf(first.path);
  const files = new Map<string, File>();
  for (const { path, file } of given) if (folderOf(path) === folder) files.set(nameOf(path), file);
  const name = folder === '' ? 'the chosen files' : folder;
  const manifestBytes = new Uint8Array(await readable(first.file.arrayBuffer(), MANIFEST_PATH));
  return {
    name,
    manifest: readManifest(manifestBytes, name),
    manifestBytes,
    triesPerFile: 1,
    holds: (path) => files.has(path),
    read: (entry, startByte) => readFile(files.get(entry.path), entry, startByte),
  };
}

async function* readFile(
  file: File | undefined,
  entry: { readonly path: string; readonly bytes: number },
  startByte: number,
): AsyncGenerator<Uint8Array> {
  if (file === undefined) throw new AsrError('weights-missing', `${entry.path} is missing`);
  if (file.size !== entry.bytes) {
    throw new AsrError('weights-corrupt', `${entry.path} has ${file.size} bytes, should have ${entry.bytes}`);
  }
  const reader = file.slice(startByte).stream().getReader();
  try {
    for (;;) {
      const { done, value } = await readable(reader.read(), entry.path);
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // it has failed already
  }
}

/** Browsers refuse a file that was changed, moved or unplugged since it was given. */
async function readable<T>(work: Promise<T>, path: string): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new AsrError('source-changed', `${path} cannot be read any more`, { cause });
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** What `<input type="file">` gives, with or without `webkitdirectory`. */
export function pickedFiles(files: Iterable<File>): GivenFile[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** What `showDirectoryPicker` gives: the files of the folder itself. */
export async function folderFiles(folder: FileSystemDirectoryHandle): Promise<GivenFile[]> {
  const given: GivenFile[] = [];
  for await (const handle of folder.values()) {
    if (handle.kind !== 'file') continue;
    given.push({
      path: `${folder.name}/${handle.name}`,
      file: await handle.getFile(),
    });
  }
  return given;
}

/** What was dropped: files, and the files of folders. To be called while the drop event is handled. */
export async function droppedFiles(items: DataTransferItemList): Promise<GivenFile[]> {
  // Everything must be asked for before the first wait: afterwards the list is empty.
  const given = [...items].map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return (await Promise.all(given.map(givenFiles))).flat();
}

/** Some sources of a drag (a mail program, another page) give a file that lies nowhere. */
async function givenFiles(given: FileSystemEntry | File | null): Promise<GivenFile[]> {
  if (given === null) return [];
  return given instanceof File ? [{ path: given.name, file: given }] : entryFiles(given, '');
}

async function entryFiles(entry: FileSystemEntry, folder: string): Promise<GivenFile[]> {
  const path = `${folder}${entry.name}`;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path, file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const given: GivenFile[] = [];
  for (;;) {
    // A reader gives a hundred entries at a time, then none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return given;
    for (const child of some) given.push(...(await entryFiles(child, `${path}/`)));
  }
}
