import { expect, test } from 'vitest';
import { FairQueue } from '../../src/server/fair-queue.ts';

const NEVER = new AbortController().signal;
const LIMITS = { parallel: 1, waiting: 10, waitingPerAsker: 10 };

/** Lets every promise that can settle do so. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function orderOf(queue: FairQueue, askers: readonly string[]): Promise<string[]> {
  const order: string[] = [];
  const first = await queue.enter('someone', NEVER);
  const all = askers.map(async (asker) => {
    const leave = await queue.enter(asker, NEVER);
    order.push(asker);
    leave();
  });
  first();
  await Promise.all(all);
  return order;
}

test('who asks once does not wait for somebody who asked three times', async () => {
  expect(await orderOf(new FairQueue(LIMITS), ['a', 'a', 'a', 'b', 'c'])).toEqual(['a', 'b', 'c', 'a', 'a']);
});

test('a full line refuses, and each asker has a share of it', async () => {
  const queue = new FairQueue({ parallel: 1, waiting: 3, waitingPerAsker: 2 });
  const leave = await queue.enter('a', NEVER);
  void queue.enter('a', NEVER);
  void queue.enter('a', NEVER);
  await expect(queue.enter('a', NEVER)).rejects.toMatchObject({ code: 'busy' });
  void queue.enter('b', NEVER);
  await expect(queue.enter('c', NEVER)).rejects.toMatchObject({ code: 'busy' });
  expect(queue.waiting).toBe(3);
  leave();
  expect(queue.waiting).toBe(2);
});

test('who leaves the line makes room, and everybody behind hears the new rank', async () => {
  const queue = new FairQueue(LIMITS);
  const leave = await queue.enter('a', NEVER);
  const stop = new AbortController();
  const gone = queue.enter('b', stop.signal);
  const ranks: number[] = [];
  const behind = queue.enter('c', NEVER, (rank) => ranks.push(rank));
  expect(ranks).toEqual([1]);
  stop.abort();
  await expect(gone).rejects.toThrow();
  expect(ranks).toEqual([1, 0]);
  leave();
  (await behind)();
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('a place given back twice is one place', async () => {
  const queue = new FairQueue({ ...LIMITS, parallel: 2 });
  const leave = await queue.enter('a', NEVER);
  await queue.enter('a', NEVER);
  leave();
  leave();
  expect(queue.running).toBe(1);
});

test('a closed line refuses who waits and who comes', async () => {
  const queue = new FairQueue(LIMITS);
  await queue.enter('a', NEVER);
  const waiting = queue.enter('a', NEVER);
  queue.close(new Error('closing'));
  await expect(waiting).rejects.toThrow('closing');
  await expect(queue.enter('b', NEVER)).rejects.toThrow('closing');
  await settled();
  expect(queue.waiting).toBe(0);
});
