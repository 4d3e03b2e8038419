import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MANIFEST_PATH } from '../../../src/model/manifest.ts';
import { downloadModel } from '../../../src/platform/node/download.ts';
import { openModelDir } from '../../../src/platform/node/model-dir.ts';
import { diskLibrary } from '../../../src/platform/node/shard-store.ts';
import { shardStoreContract } from '../../contract/shard-store.ts';
import { type IllBehavedServer, startServer } from '../ill-behaved-server.ts';
import { standInModel } from '../stand-in-model.ts';

const NEVER = new AbortController().signal;
const MODEL = standInModel({ shards: 4, shardBytes: 6_000_000 });
const ID = 'stand-in-fp32';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sotto-store-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function freshRoot(): Promise<string> {
  return join(await mkdtemp(join(scratch, 'library-')), 'models');
}

shardStoreContract('disk', async () => diskLibrary(await freshRoot()));

describe('a model on disk', () => {
  let server: IllBehavedServer;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    server = await startServer(MODEL);
  });
  afterAll(() => server.close());
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    Object.assign(server, { sentBytes: 0, bytesPerSecond: Infinity });
  });

  /** The same installation in a process of its own, which can be killed. */
  function installApart(root: string): ChildProcess {
    const script = join(import.meta.dirname, 'install-apart.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, server.origin, root], {
      stdio: 'inherit',
    });
    children.push(child);
    return child;
  }

  async function untilSent(bytes: number): Promise<void> {
    while (server.sentBytes < bytes) await sleep(5);
  }

  async function installHere(root: string, onWait?: () => void): Promise<void> {
    await downloadModel(server.origin, diskLibrary(root), { signal: NEVER, ...(onWait && { onWait }) });
  }

  test('is an ordinary model folder when it is whole', async () => {
    const root = await freshRoot();
    await installHere(root);
    const files = await openModelDir(join(root, ID));
    expect(await files.manifest()).toEqual(MODEL.manifest);
    expect(await readdir(root)).toEqual([ID]);
    const names = [MANIFEST_PATH, ...MODEL.entries.map((entry) => entry.path)].sort();
    expect((await readdir(join(root, ID))).sort()).toEqual(names);
  });

  test('goes on after its process was killed, whose lock does not count any more', async () => {
    const root = await freshRoot();
    server.bytesPerSecond = 12e6;
    for (const share of [0.2, 0.45, 0.7]) {
      const child = installApart(root);
      await untilSent(MODEL.totalBytes * share);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      expect(await readdir(root)).toContain(`${ID}.lock`);
    }
    await installHere(root);
    await openModelDir(join(root, ID));
    expect(server.sentBytes).toBeLessThan(MODEL.totalBytes * 1.5);
  });

  test('is fetched once by two processes at once', async () => {
    const root = await freshRoot();
    server.bytesPerSecond = 12e6;
    const child = installApart(root);
    const exit = new Promise((resolve) => child.once('exit', resolve));
    await untilSent(1e6);
    let waited = false;
    await installHere(root, () => (waited = true));
    expect(await exit).toBe(0);
    expect(waited).toBe(true);
    expect(server.sentBytes).toBe(MODEL.totalBytes);
    await openModelDir(join(root, ID));
  });

  test('cannot be deleted while another process writes it', async () => {
    const root = await freshRoot();
    server.bytesPerSecond = 2e6;
    installApart(root);
    await untilSent(1e6);
    await expect(diskLibrary(root).delete(ID)).rejects.toMatchObject({ code: 'model-busy' });
  });
});

describe('a lock left behind', () => {
  async function leave(root: string, owner: object | undefined, silentSeconds: number): Promise<void> {
    await mkdir(root, { recursive: true });
    const path = join(root, 'm.lock');
    await writeFile(path, owner === undefined ? '' : JSON.stringify(owner));
    const seen = new Date(Date.now() - silentSeconds * 1000);
    await utimes(path, seen, seen);
  }

  async function canTake(root: string): Promise<boolean> {
    const soon = AbortSignal.timeout(700);
    return diskLibrary(root)
      .exclusively('m', async () => true, { signal: soon })
      .catch(() => false);
  }

  test.each([
    [
      'by a machine that was heard of a moment ago counts',
      { pid: 1, host: 'elsewhere', nonce: 'n' },
      5,
      false,
    ],
    [
      'by a machine that has been silent for long does not',
      { pid: 1, host: 'elsewhere', nonce: 'n' },
      90,
      true,
    ],
    ['half-written a moment ago counts', undefined, 1, false],
    ['half-written long ago does not', undefined, 90, true],
  ])('%s', async (_name, owner, silentSeconds, free) => {
    const root = await freshRoot();
    await leave(root, owner, silentSeconds);
    expect(await canTake(root)).toBe(free);
  });

  test('and taken over by many at once goes to one at a time', async () => {
    const root = await freshRoot();
    await leave(root, undefined, 90);
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    };
    const takers = Array.from({ length: 6 }, () =>
      diskLibrary(root).exclusively('m', work, { signal: NEVER }),
    );
    await Promise.all(takers);
    expect(most).toBe(1);
    expect(await readdir(root)).toEqual([]);
  });
});

describe('a disk that will not take it', () => {
  test('is said to be unwritable where a folder cannot be made', async () => {
    const root = await freshRoot();
    await writeFile(join(root, '..', 'models'), 'a file where the folder should be');
    const store = diskLibrary(root).store('m');
    await expect(store.write('a.bin', new Uint8Array(1))).rejects.toMatchObject({
      code: 'output-unwritable',
    });
    expect(await diskLibrary(root).list()).toEqual([]);
  });

  test.skipIf(!canMount())('is said to be full when it is, and keeps what was there', () => {
    const script = join(import.meta.dirname, 'fill-disk.ts');
    const inside = `mount -t tmpfs -o size=2m none "${scratch}" && exec "$0" --import tsx "$1" "${scratch}"`;
    const output = execFileSync('unshare', ['-rm', 'sh', '-c', inside, process.execPath, script], {
      cwd: join(import.meta.dirname, '../../..'),
    });
    expect(JSON.parse(output.toString())).toEqual({
      append: 'storage-full',
      write: 'storage-full',
      files: [
        { path: 'kept.bin', bytes: 1000, whole: true },
        { path: 'part.bin', bytes: 1_000_000, whole: false },
      ],
    });
  });
});

/** Whether this machine lets us have a small disk of our own. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', tmpdir()], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

test('what lies in a folder beside models is no model', async () => {
  const root = await freshRoot();
  await mkdir(join(root, 'empty'), { recursive: true });
  await writeFile(join(root, 'note.txt'), 'hello');
  expect(await diskLibrary(root).list()).toEqual([]);
  expect(await readFile(join(root, 'note.txt'), 'utf8')).toBe('hello');
});
