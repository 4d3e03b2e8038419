// Recordings in Redis, in pieces, so that neither side ever holds one in memory.

import { createReadStream } from 'node:fs';
import type { Redis } from 'ioredis';
import { LIFE_SECONDS, recordingKey } from './protocol.ts';

const PIECE_BYTES = 1 << 20;

/** Puts the file there; it stays while `keepRecordings` is called now and then. */
export async function putRecording(
  redis: Redis,
  job: string,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const key = recordingKey(job);
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES, signal })) {
    await redis
      .multi()
      .rpush(key, piece as Buffer)
      .expire(key, LIFE_SECONDS)
      .exec();
  }
}

/** The pieces, one after the other; none when the recording has gone. */
export async function* piecesOf(redis: Redis, job: string): AsyncGenerator<Buffer, void> {
  for (let i = 0; ; i++) {
    const piece = await redis.lindexBuffer(recordingKey(job), i);
    if (piece === null) return;
    yield piece;
  }
}

export async function hasRecording(redis: Redis, job: string): Promise<boolean> {
  return (await redis.exists(recordingKey(job))) === 1;
}

export async function keepRecordings(redis: Redis, jobs: Iterable<string>): Promise<void> {
  const renewed = redis.pipeline();
  for (const job of jobs) renewed.expire(recordingKey(job), LIFE_SECONDS);
  await renewed.exec();
}

export async function removeRecording(redis: Redis, job: string): Promise<void> {
  await redis.unlink(recordingKey(job));
}
