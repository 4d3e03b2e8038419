// A thread, or a process, that runs one of the programs in this folder.

import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

export type ThreadProgram = 'decode-thread' | 'hash-thread';

/** In the bundle the program lies beside this file; run from source it is TypeScript, which the thread learns first. */
export function startThread(program: ThreadProgram, workerData?: unknown): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL(/* @vite-ignore */ `./${program}.js`, import.meta.url), { workerData });
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const learn = new URL('./dist/esm/api/index.mjs', tsx).href;
  const thread = new URL(/* @vite-ignore */ `./${program}.ts`, import.meta.url).href;
  return new Worker(`import('${learn}').then(({ register }) => (register(), import('${thread}')))`, {
    eval: true,
    workerData,
  });
}

export type ProcessProgram = 'engine-process' | 'webgpu-probe';

/**
 * For glibc: blocks of a megabyte and more go back to the system when they are freed. Else what loading a model frees
 * lies scattered (measured, int8 weights that are repacked: 3.85 GB at most, so 2.56).
 */
const UNFRAGMENTED = { MALLOC_MMAP_THRESHOLD_: String(1 << 20) };

/** The same in a process; from source, tsx is loaded first. */
export function startProcess(
  program: ProcessProgram,
  env: Readonly<Record<string, string>> = {},
  stderr: 'inherit' | 'ignore' = 'inherit',
): ChildProcess {
  const fromSource = import.meta.url.endsWith('.ts');
  const name = `./${program}.${fromSource ? 'ts' : 'js'}`;
  const tsx = fromSource ? createRequire(import.meta.url).resolve('tsx') : undefined;
  return fork(fileURLToPath(new URL(/* @vite-ignore */ name, import.meta.url)), [], {
    execArgv: tsx === undefined ? [] : ['--import', pathToFileURL(tsx).href],
    env: { ...UNFRAGMENTED, ...process.env, ...env },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
  });
}
