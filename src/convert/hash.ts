// Files are named after what is in them, so that one never changes under its name.

import type { FileEntry } from '../model/manifest.ts';

/** Lower-case hex. */
export async function sha256(content: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A file's entry in the manifest; its path is `<stem>-<first 16 digits of its hash>.<extension>`. */
export async function fileEntry(
  stem: string,
  extension: string,
  content: Uint8Array<ArrayBuffer>,
): Promise<FileEntry> {
  const hash = await sha256(content);
  return { path: `${stem}-${hash.slice(0, 16)}.${extension}`, bytes: content.length, sha256: hash };
}
