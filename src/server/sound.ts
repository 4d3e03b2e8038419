// A recording in, its sound out, for pages whose browser cannot open the file: 16 kHz, one channel, 16 bits,
// while it is decoded. The page reads it like any other sound.

import { Hono } from 'hono';
import type { AudioBlock } from '../signal/units.ts';
import type { Decoders } from '../platform/node/decode-client.ts';
import { refusalOf } from './refusal.ts';
import type { UploadFolder } from './uploads.ts';
import { SOUND_PATH, packSound } from '../wire/sound-bytes.ts';

export interface SoundParts {
  readonly decoders: Decoders;
  readonly uploads: UploadFolder;
  readonly onBug: (id: string, error: unknown) => void;
}

export function soundRoutes({ decoders, uploads, onBug }: SoundParts): Hono {
  const routes = new Hono();
  routes.post(`/${SOUND_PATH}`, async (c) => {
    const form = await uploads.receiveBody(c.req.raw);
    const controller = new AbortController();
    const signal = AbortSignal.any([c.req.raw.signal, controller.signal]);
    const blocks = decoders.blocks(form.uploads[0]?.path ?? '', signal);
    const end = async (): Promise<void> => {
      controller.abort();
      await blocks.return().catch(() => undefined); // it has failed already
      await form.remove();
    };
    try {
      const first = await blocks.next();
      return new Response(bytesOf(first, blocks, end), {
        headers: { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' },
      });
    } catch (error) {
      await end();
      throw error;
    }
  });
  routes.onError((error) => {
    const { status, code, message, headers } = refusalOf(error, onBug);
    return Response.json({ type: 'error', code, message }, { status, headers });
  });
  return routes;
}

/** As fast as it is taken; `end` is called once, however it ends. */
function bytesOf(
  first: IteratorResult<AudioBlock, void>,
  blocks: AsyncGenerator<AudioBlock, void>,
  end: () => Promise<void>,
): ReadableStream<Uint8Array> {
  let next: IteratorResult<AudioBlock, void> | undefined = first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(stream) {
        try {
          const { done, value } = next ?? (await blocks.next());
          next = undefined;
          if (value !== undefined) stream.enqueue(packSound(value.samples));
          if (done !== true) return;
          await end();
          stream.close();
        } catch (error) {
          await end();
          stream.error(error);
        }
      },
      cancel: end,
    },
    { highWaterMark: 1 },
  );
}
