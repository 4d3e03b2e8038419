import { expect, test } from 'vitest';
import { startNodeSha256 } from '../../../src/platform/node/hash-client.ts';
import { hashInThread } from '../../../src/platform/pull/hash-thread.ts';
import { startSha256 } from '../../../src/platform/pull/resumable-sha256.ts';
import { describeResumableSha256 } from '../../contract/resumable-sha256.ts';

describeResumableSha256('in place', startSha256);
describeResumableSha256('in a thread', startNodeSha256);

test('a hash whose thread dies fails whoever waits for it, and whoever asks later', async () => {
  let die: (error: Error) => void = () => undefined;
  const crashed = new Promise<never>((_, reject) => (die = reject));
  let tell: (answer: { type: 'started' }) => void = () => undefined;
  const hash = await hashInThread({
    endpoint: {
      // Answers the first message, and then no more.
      post: ({ type }) => type === 'start' && queueMicrotask(() => tell({ type: 'started' })),
      listen: (onMessage) => (tell = onMessage),
    },
    crashed,
    end: () => undefined,
  });
  await hash.update(new Uint8Array(10));
  const waiting = hash.save();
  die(new Error('out of memory'));
  await expect(waiting).rejects.toThrow('out of memory');
  await expect(hash.hex()).rejects.toThrow('out of memory');
});
