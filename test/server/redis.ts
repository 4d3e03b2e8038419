// A Redis of the tests' own (Debian's redis-server), on a port of its own, in memory only.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { ended } from './processes.ts';

export const REDIS_MISSING = spawnSync('redis-server', ['--version']).status !== 0;

export interface TestRedis {
  readonly port: number;
  /** An address with a database that no other test has. */
  address(): string;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', settings, { stdio: 'ignore' });
  const probe = new Redis(port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  probe.on('error', () => undefined); // not up yet
  await probe.ping();
  probe.disconnect();
  let database = 0;
  return {
    port,
    address: () => `redis://127.0.0.1:${port}/${database++}`,
    stop: () => ended(child),
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
