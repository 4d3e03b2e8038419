// The thread that decodes recordings, a block at a time as they are asked for, one after the other.

import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../errors.ts';
import type { AudioBlock } from '../../signal/units.ts';
import { toFailure } from '../thread/failure.ts';
import type { FromDecoder, ToDecoder } from './decode-messages.ts';
import { soundOf } from './ffmpeg.ts';

assert(parentPort !== null, 'this file runs as a worker thread');
const port = parentPort;
const atWorkOn = workerData as Int32Array;
const recordings = new Map<number, AsyncGenerator<AudioBlock, void>>();
let before: Promise<void> = Promise.resolve();

port.on('message', (message: ToDecoder) => {
  before = before.then(() => (message.type === 'next' ? next(message.id, message.path) : close(message.id)));
});

async function next(id: number, path: string): Promise<void> {
  // Should this never come to an end, whoever waits knows which recording it was.
  Atomics.store(atWorkOn, 0, id);
  try {
    const blocks = recordings.get(id) ?? soundOf(path, new AbortController().signal);
    recordings.set(id, blocks);
    const { done, value } = await blocks.next();
    if (done) return post({ type: 'end', id });
    const samples = value.samples.slice();
    post({ type: 'block', id, startSample: value.startSample, samples }, [samples.buffer]);
  } catch (error) {
    post({ type: 'failed', id, failure: toFailure(error) });
  } finally {
    Atomics.store(atWorkOn, 0, 0);
  }
}

async function close(id: number): Promise<void> {
  const blocks = recordings.get(id);
  recordings.delete(id);
  await blocks?.return().catch(() => undefined); // it is not wanted any more
}

function post(message: FromDecoder, moved: ArrayBuffer[] = []): void {
  port.postMessage(message, moved);
}
