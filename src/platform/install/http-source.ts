// A model on a server: any address whose folder holds manifest.json and the files that it names.

import { joinBytes } from '../../bytes.ts';
import { AsrError } from '../../errors.ts';
import { type FileEntry, MANIFEST_PATH } from '../../model/manifest.ts';
import { type ByteAnswer, type HttpFetch, PassingFailure, type Patience, requestBytes } from './http.ts';
import { type ModelSource, readManifest } from './source.ts';
import { Tries } from './tries.ts';

/** A real manifest is some hundred kilobytes. */
const MAX_MANIFEST_BYTES = 16_000_000;

/**
 * The folder that someone typed: a scheme may be missing (https, or http for this machine), the slash at the
 * end too, and manifest.json may be there. Fails with `option-invalid`.
 */
export function folderAddress(typed: string): string {
  const text = typed.trim();
  const local = /^(localhost|127\.|\[::1\])/.test(text);
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${local ? 'http' : 'https'}://${text}`);
  } catch (cause) {
    throw new AsrError('option-invalid', `"${text}" is not an address`, { cause });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AsrError('option-invalid', `"${text}" is not an http or https address`);
  }
  url.hash = '';
  if (url.pathname.endsWith(`/${MANIFEST_PATH}`)) url.pathname = url.pathname.slice(0, -MANIFEST_PATH.length);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}

/**
 * Opens the model at `address` (see `folderAddress`) by reading its manifest.
 *
 * Fails with `option-invalid`, `model-not-found` (no manifest, or a web page in its place), `manifest-invalid`
 * or `source-unreachable`.
 */
export async function openHttpSource(
  address: string,
  http: HttpFetch,
  patience: Patience,
  signal: AbortSignal,
): Promise<ModelSource> {
  const folder = folderAddress(address);
  const manifestBytes = await readWhole(fileUrl(folder, MANIFEST_PATH), http, patience, signal);
  return {
    name: folder,
    manifest: readManifest(manifestBytes, folder),
    manifestBytes,
    triesPerFile: 4,
    read: (entry, startByte, readSignal, onTrouble) =>
      readFrom(
        { url: fileUrl(folder, entry.path), entry, http, patience, signal: readSignal, onTrouble },
        startByte,
      ),
  };
}

/** A query (a mirror's token) goes along to every file. */
function fileUrl(folder: string, path: string): string {
  const url = new URL(folder);
  url.pathname += path;
  return url.href;
}

async function readWhole(
  url: string,
  http: HttpFetch,
  patience: Patience,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const tries = new Tries(patience, signal);
  for (;;) {
    try {
      const answer = await requestBytes(http, url, { startByte: 0 }, patience, signal);
      return await gather(answer, url);
    } catch (error) {
      if (error instanceof AsrError && error.code === 'source-unreachable') {
        throw new AsrError('model-not-found', error.message, { cause: error });
      }
      await tries.again(error, 0);
    }
  }
}

async function gather(answer: ByteAnswer, url: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    if (isWebPage(answer)) throw new AsrError('model-not-found', `${url} is a web page, not a manifest`);
    for await (const part of answer.body) {
      parts.push(part);
      bytes += part.length;
      if (bytes > MAX_MANIFEST_BYTES)
        throw new AsrError('manifest-invalid', `${url} is too large for a manifest`);
    }
  } finally {
    answer.close();
  }
  if (bytes < (answer.totalBytes ?? 0)) throw endedEarly(url, bytes);
  return joinBytes(parts);
}

interface Reading {
  readonly url: string;
  readonly entry: FileEntry;
  readonly http: HttpFetch;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  readonly onTrouble: () => void;
}

/** Goes on where a connection broke off, with a new one. */
async function* readFrom(reading: Reading, startByte: number): AsyncGenerator<Uint8Array> {
  const { url, entry, http, patience, signal, onTrouble } = reading;
  const tries = new Tries(patience, signal);
  let atByte = startByte;
  while (atByte < entry.bytes) {
    try {
      const answer = await requestBytes(http, url, { startByte: atByte }, patience, signal);
      for await (const bytes of wanted(answer, entry, url, atByte)) {
        atByte += bytes.length;
        yield bytes;
      }
      if (atByte < entry.bytes) throw endedEarly(url, atByte);
    } catch (error) {
      if (error instanceof PassingFailure) onTrouble();
      await tries.again(error, atByte);
    }
  }
}

/** The part of an answer that lies in [atByte, end of the file). */
async function* wanted(
  answer: ByteAnswer,
  entry: FileEntry,
  url: string,
  atByte: number,
): AsyncGenerator<Uint8Array> {
  try {
    if (isWebPage(answer)) {
      throw new PassingFailure(
        'source-unreachable',
        `${url} answers with a web page (a sign-in page, perhaps)`,
      );
    }
    if (answer.totalBytes !== undefined && answer.totalBytes !== entry.bytes) {
      const found = `${url} has ${answer.totalBytes} bytes, the manifest says ${entry.bytes}`;
      throw new PassingFailure('source-changed', found);
    }
    let bodyByte = answer.startByte;
    for await (const bytes of answer.body) {
      const useful = bytes.subarray(Math.max(0, atByte - bodyByte), entry.bytes - bodyByte);
      bodyByte += bytes.length;
      if (useful.length > 0) yield useful;
      if (bodyByte >= entry.bytes) return;
    }
  } finally {
    answer.close();
  }
}

function isWebPage({ contentType }: ByteAnswer): boolean {
  return contentType.includes('text/html');
}

function endedEarly(url: string, atByte: number): PassingFailure {
  return new PassingFailure('source-unreachable', `${url} broke off after ${atByte} bytes`);
}
