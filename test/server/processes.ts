// Servers in processes of their own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { GivenSettings } from '../../src/server/config.ts';
import type { Places } from './test-server.ts';

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
}

/** A server on the test's model, once it answers and its model is loaded. */
export async function serverProcess(
  { sampleDir }: Pick<Places, 'sampleDir'>,
  settings: GivenSettings,
): Promise<ServerProcess> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const script = join(import.meta.dirname, 'serve-process.ts');
  const child = spawn(process.execPath, ['--import', tsx, script, sampleDir, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: line.toString('utf8').trim() };
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
