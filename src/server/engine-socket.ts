// The engine for our own page, over a WebSocket: the very messages that a page exchanges with its worker
// (wire/worker-messages.ts), so that captions work from a server as they do in the browser.

import type { WebSocket } from 'ws';
import type { Engine } from '../engine/engine.ts';
import { hostEngine } from '../platform/thread/engine-host.ts';
import type { FromWorker } from '../wire/worker-messages.ts';
import {
  type ServerRequest,
  type ToServer,
  decodeToServer,
  encodeFromServer,
} from '../wire/socket-frames.ts';
import type { EnginePool } from './engine-pool.ts';
import type { Jobs } from './jobs.ts';

export interface EngineSocketParts {
  readonly jobs: Jobs;
  readonly pool: EnginePool;
}

/** Serves one page until it goes; then its jobs end. */
export function serveEngine(socket: WebSocket, asker: string, { jobs, pool }: EngineSocketParts): void {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  /** Blocks that may still come: a page that sends more than it was asked for would fill the memory. */
  let credit = 0;
  hostEngine<ServerRequest>(
    {
      post: (message: FromWorker) => {
        if (message.type === 'credit') credit += message.blocks;
        if (socket.readyState === socket.OPEN) socket.send(encodeFromServer(message));
      },
      listen: (onMessage: (message: ToServer) => void) => {
        socket.on('message', (data: Buffer, isBinary) => {
          try {
            const message = decodeToServer(isBinary ? data : data.toString('utf8'));
            if (message.type === 'block' && --credit < 0) throw new Error('more blocks than were asked for');
            onMessage(message);
          } catch {
            socket.close(1007, 'That is no message of this protocol');
          }
        });
      },
    },
    async ({ model }) => pooledEngine(asker, model, jobs, pool, gone.signal),
  );
}

/** An engine that is really a place in line. */
async function pooledEngine(
  asker: string,
  name: string,
  jobs: Jobs,
  pool: EnginePool,
  gone: AbortSignal,
): Promise<Engine> {
  const model = await jobs.model(name);
  /** A page's jobs come one after the other, as everywhere; those of different pages run at once. */
  let last: Promise<void> = Promise.resolve();
  return {
    info: await pool.warmUp(model),
    async *transcribe(blocks, options, signal) {
      const job = { asker, model: model.id, audio: { blocks }, options };
      const before = last;
      let done = (): void => undefined;
      last = new Promise((resolve) => (done = resolve));
      try {
        await before;
        for await (const event of jobs.run(job, AbortSignal.any([signal, gone]))) {
          if (event.type !== 'queued' && event.type !== 'started') yield event;
        }
      } finally {
        done();
      }
    },
    release: async () => undefined,
  };
}
