// A file that no decoder of this browser knows, opened by the server that the reader has chosen: the file goes
// there, its sound comes back. Page and worker.

import { AsrError, type AsrErrorCode, ERRORS } from '../../errors.ts';
import { inPieces } from '../../signal/pieces.ts';
import { SAMPLE_RATE, type AudioBlock } from '../../signal/units.ts';
import { SOUND_PATH, unpackSound } from '../../wire/sound-bytes.ts';
import type { ServerAddress } from './server-engine.ts';

export interface ServerSound {
  readonly from: 'server';
  readonly durationSeconds: undefined;
  readonly damage: { readonly places: number };
  progress(): { readonly doneBytes: number; readonly totalBytes: undefined };
  blocks(signal?: AbortSignal): AsyncGenerator<AudioBlock, void>;
  close(): Promise<void>;
}

/** Fails with `source-unreachable`, and as the server's own opening does (`audio-unsupported`, `key-missing` …). */
export async function openOnServer(file: Blob, { url, key }: ServerAddress): Promise<ServerSound> {
  const ended = new AbortController();
  const response = await fetch(new URL(`api/${SOUND_PATH}`, url), {
    method: 'POST',
    body: file,
    headers: {
      'Content-Type': 'application/octet-stream',
      ...(key !== undefined && { Authorization: `Bearer ${key}` }),
    },
    signal: ended.signal,
  }).catch((cause: unknown) => {
    throw new AsrError('source-unreachable', `${url} does not answer`, { cause });
  });
  if (!response.ok || response.body === null) throw await refusal(response, url);
  const reader = response.body.getReader();
  let doneBytes = 0;
  async function* received(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const { done, value } = await read(reader, url, signal);
      doneBytes += value?.length ?? 0;
      if (value !== undefined) yield value;
      if (done) return;
    }
  }
  return {
    from: 'server',
    durationSeconds: undefined,
    damage: { places: 0 },
    progress: () => ({ doneBytes, totalBytes: undefined }),
    async *blocks(signal) {
      const stop = (): void => ended.abort(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
      let startSample = 0;
      try {
        for await (const second of inPieces(received(signal), 2 * SAMPLE_RATE)) {
          const samples = unpackSound(second);
          if (samples.length > 0) yield { startSample, samples };
          startSample += samples.length;
        }
      } finally {
        signal?.removeEventListener('abort', stop);
        ended.abort();
      }
    },
    close: () => {
      ended.abort();
      return Promise.resolve();
    },
  };
}

async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  url: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> {
  try {
    return await reader.read();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new AsrError('source-unreachable', `${url} has closed the connection`, { cause });
  }
}

async function refusal(response: Response, url: string): Promise<AsrError> {
  const { code, message } = (await response.json().catch(() => ({}))) as { code?: string; message?: string };
  const known = code !== undefined && code in ERRORS ? (code as AsrErrorCode) : 'endpoint-refused';
  return new AsrError(known, message ?? `${url} answers ${response.status}`);
}
