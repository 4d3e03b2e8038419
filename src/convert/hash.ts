// Files are named after what is in them, so that one never changes under its name.

import { type FileEntry, PIECE_BYTES } from '../model/manifest.ts';

/** SHA-256 of bytes, in lower-case hex. */
export type HashBytes = (content: Uint8Array<ArrayBuffer>) => Promise<string>;

/** By WebCrypto, which is everywhere, and which copies what it hashes. */
export async function sha256(content: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A file's entry in the manifest; its path is `<stem>-<first 16 digits of its hash>.<extension>`. */
export async function fileEntry(
  stem: string,
  extension: string,
  content: Uint8Array<ArrayBuffer>,
  hashBytes: HashBytes = sha256,
): Promise<FileEntry> {
  const hash = await hashBytes(content);
  const entry = { path: `${stem}-${hash.slice(0, 16)}.${extension}`, bytes: content.length, sha256: hash };
  if (content.length <= PIECE_BYTES) return entry;
  const pieces: string[] = [];
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    pieces.push(await hashBytes(content.subarray(at, at + PIECE_BYTES)));
  }
  return { ...entry, pieces };
}
