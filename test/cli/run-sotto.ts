// Runs the terminal program as a user would: a process of its own.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { ensureBuilt } from '../../scripts/prepare.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

// The program that ships is tested, not its source.
ensureBuilt('node');

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `input` goes to standard input; `env` on top of this process's own. */
export function runSotto(
  args: readonly string[],
  input?: Uint8Array,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return startSotto(args, input, env).outcome;
}

/** The same, for who does something to it meanwhile. */
export function startSotto(
  args: readonly string[],
  input?: Uint8Array,
  env: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcessWithoutNullStreams; readonly outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, ['dist/node/sotto.js', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(input);
  const outcome = new Promise<Outcome>((done, reject) => {
    child.once('error', reject);
    child.once('close', (code) => done({ code, stdout, stderr }));
  });
  return { child, outcome };
}
