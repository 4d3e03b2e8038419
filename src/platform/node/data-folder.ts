// Where this user's models and settings lie on this machine.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** `SOTTO_DATA`, else the system's usual place for a program's data. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SOTTO_DATA) return env.SOTTO_DATA;
  if (process.platform === 'win32')
    return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'Sotto');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Sotto');
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'sotto');
}

/** One folder per model in it. */
export function modelsFolder(env?: NodeJS.ProcessEnv): string {
  return join(dataFolder(env), 'models');
}
