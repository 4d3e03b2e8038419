import { expect, test } from 'vitest';
import { browserLibrary } from '../../src/platform/web/shard-store.ts';
import { askToKeep, freeBytes, storageRoom } from '../../src/platform/web/storage-room.ts';

test('shows what the site keeps: more after a model was stored', async () => {
  const before = await storageRoom();
  const library = browserLibrary(`test-${crypto.randomUUID()}`);
  const noise = new Uint8Array(2_000_000);
  for (let at = 0; at < noise.length; at += 50_000) crypto.getRandomValues(noise.subarray(at, at + 50_000));
  await library.store('m').write('weights.bin', noise);
  const after = await storageRoom();
  expect(after!.usedBytes - before!.usedBytes).toBeGreaterThan(1_900_000);
  expect(await freeBytes()).toBe(after!.allowedBytes - after!.usedBytes);
});

test('knows whether the browser promised to keep it', async () => {
  expect(await askToKeep()).toBe((await storageRoom())!.lasting);
});
