// The hash of a large file in a thread of its own: in WebAssembly it takes as long as quantising does, and would
// take turns with it.

import { assert, unreachable } from '../../errors.ts';
import type { FromHashThread, ToHashThread } from '../../wire/hash-messages.ts';
import type { Endpoint } from '../thread/endpoint.ts';
import { createWasmSha256, type ResumableSha256, type WasmSha256 } from './resumable-sha256.ts';

/** A thread that runs `hostHash`. */
export interface HashThread {
  readonly endpoint: Endpoint<ToHashThread, FromHashThread>;
  /** Rejects when the thread dies. */
  readonly crashed: Promise<never>;
  end(): void;
}

/** Pieces on their way or being hashed: the next one is copied meanwhile. */
const PIECES = 2;

interface Asker {
  resolve(answer: FromHashThread): void;
  reject(error: Error): void;
}

/**
 * A hash in `thread`, which it ends when it is released. Fails when `state` is none, and then ends the thread; every
 * call fails when the thread has died.
 */
export async function hashInThread(thread: HashThread, state?: Uint8Array): Promise<ResumableSha256> {
  const { endpoint, crashed, end } = thread;
  const askers: Asker[] = [];
  let broken: Error | undefined;
  endpoint.listen((answer) => askers.shift()?.resolve(answer));
  crashed.catch((error: unknown) => {
    broken = error instanceof Error ? error : new Error(String(error));
    for (const { reject } of askers.splice(0)) reject(broken);
  });
  const ask = async <Type extends FromHashThread['type']>(
    type: Type,
    message: ToHashThread,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Extract<FromHashThread, { type: Type }>> => {
    if (broken !== undefined) throw broken;
    const answer = await new Promise<FromHashThread>((resolve, reject) => {
      askers.push({ resolve, reject });
      endpoint.post(message, transfer);
    });
    if (answer.type === 'failed') throw new Error(answer.message);
    assert(isOf(answer, type), 'the thread answers what it is asked, in order');
    return answer;
  };
  const buffers = Array.from({ length: PIECES }, () => Promise.resolve(new ArrayBuffer(0)));
  try {
    await ask('started', { type: 'start', state });
  } catch (error) {
    end();
    throw error;
  }
  return {
    async update(bytes) {
      const free = await buffers.shift();
      const buffer =
        free !== undefined && free.byteLength >= bytes.length ? free : new ArrayBuffer(bytes.length);
      new Uint8Array(buffer).set(bytes);
      const hashed = ask('updated', { type: 'update', buffer, bytes: bytes.length }, [buffer]);
      const back = hashed.then((answer) => answer.buffer);
      back.catch(() => undefined); // the next call fails too
      buffers.push(back);
    },
    save: async () => (await ask('saved', { type: 'save' })).state,
    hex: async () => (await ask('digest', { type: 'digest' })).hex,
    release: end,
  };
}

function isOf<Type extends FromHashThread['type']>(
  answer: FromHashThread,
  type: Type,
): answer is Extract<FromHashThread, { type: Type }> {
  return answer.type === type;
}

/** The thread's side. */
export function hostHash(endpoint: Endpoint<FromHashThread, ToHashThread>): void {
  const hash = createWasmSha256();
  const fail = (error: unknown): void => endpoint.post({ type: 'failed', message: String(error) });
  endpoint.listen((message) => {
    void hash.then((sha256) => {
      // At once, so that answers stay in order.
      try {
        answer(sha256, message, endpoint);
      } catch (error) {
        fail(error);
      }
    }, fail);
  });
}

function answer(
  sha256: WasmSha256,
  message: ToHashThread,
  endpoint: Endpoint<FromHashThread, ToHashThread>,
): void {
  switch (message.type) {
    case 'start':
      if (message.state === undefined) sha256.reset();
      else sha256.restore(message.state);
      return endpoint.post({ type: 'started' });
    case 'update':
      sha256.update(new Uint8Array(message.buffer, 0, message.bytes));
      return endpoint.post({ type: 'updated', buffer: message.buffer }, [message.buffer]);
    case 'save':
      return endpoint.post({ type: 'saved', state: sha256.save() });
    case 'digest':
      return endpoint.post({ type: 'digest', hex: sha256.hex() });
    default:
      return unreachable(message);
  }
}
