// Connections to Redis.

import { Redis } from 'ioredis';
import { AsrError } from '../../errors.ts';

const CONNECT_MS = 5_000;
const RECONNECT_MS = 1_000;

/** `patient` connections wait until Redis is back; the others fail soon, because somebody waits for them. */
export type Manner = 'patient' | 'prompt';

/** Connects. Fails with `queue-unreachable`. */
export async function connectRedis(address: string, manner: Manner): Promise<Redis> {
  const redis = new Redis(address, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    retryStrategy: (times) => Math.min(RECONNECT_MS, 50 * times),
    maxRetriesPerRequest: manner === 'patient' ? null : 2,
  });
  redis.on('error', () => undefined); // every command fails by itself; ioredis connects again
  try {
    await redis.connect();
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw unreachable(cause);
  }
}

/** A failure of Redis in words for whoever asked. */
export function unreachable(cause: unknown): AsrError {
  return new AsrError('queue-unreachable', 'the line that servers share cannot be reached', { cause });
}
