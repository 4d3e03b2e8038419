// A lock file: one process at a time writes a model. Holds up across kills: a lock whose owner is gone
// (same machine) or has been silent (another machine, a shared disk) does not count.

import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { AsrError } from '../../errors.ts';
import { pause } from '../install/waiting.ts';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells two owners of one process apart. */
  readonly nonce: string;
}

const BEAT_SECONDS = 10;
/** Several beats: a busy process may miss one. */
const SILENT_SECONDS = 60;
const LOOK_AGAIN_SECONDS = 0.25;

/** Runs `work` while holding the lock file at `path`; waits for whoever has it, until the signal ends the waiting. */
export async function withModelLock<T>(
  path: string,
  work: () => Promise<T>,
  { signal, onWait }: { readonly signal: AbortSignal; readonly onWait?: () => void },
): Promise<T> {
  const owner: Owner = { pid: process.pid, host: hostname(), nonce: randomUUID() };
  // A stale lock is cleared at the first look, so nobody is waited for until the second.
  for (let looks = 0; !(await take(path, owner)); looks++) {
    if (looks === 1) onWait?.();
    await pause(LOOK_AGAIN_SECONDS, signal);
  }
  const beat = setInterval(() => {
    utimes(path, new Date(), new Date()).catch(() => undefined); // a missed beat does no harm
  }, BEAT_SECONDS * 1000).unref();
  try {
    signal.throwIfAborted();
    return await work();
  } finally {
    clearInterval(beat);
    // Somebody who thought us dead may have it now.
    if ((await readOwner(path))?.nonce === owner.nonce) await rm(path, { force: true });
  }
}

async function take(path: string, owner: Owner): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(JSON.stringify(owner));
    await file.close();
    return true;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'EEXIST') {
      throw new AsrError('output-unwritable', `${path} cannot be written (${code ?? 'unknown reason'})`, {
        cause,
      });
    }
  }
  if (await isStale(path)) await clear(path);
  return false;
}

async function isStale(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined); // gone meanwhile
  if (stats === undefined) return false;
  if (Date.now() - stats.mtimeMs > SILENT_SECONDS * 1000) return true;
  const owner = await readOwner(path);
  return owner !== undefined && owner.host === hostname() && !isAlive(owner.pid);
}

/**
 * Takes a stale lock away, under a name of its own first: of two who do so at once only one succeeds, and what
 * it has in hand is looked at again, in case somebody took the lock in between.
 */
async function clear(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return; // somebody else was quicker
  }
  if (await isStale(aside)) await rm(aside, { force: true });
  else await rename(aside, path);
}

/** undefined while it is being written, or when it is not ours to read. */
async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
