// Options that several commands share, and how their values are read.

import { InvalidArgumentError, Option } from 'commander';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeviceChoice } from '../platform/node/open-engine.ts';

export function modelOption(): Option {
  return new Option('--model <dir>', 'folder of a converted model (default: the sample model)');
}

export function deviceOption(): Option {
  return new Option('--device <device>', 'where to compute')
    .choices(['auto', 'cpu', 'webgpu', 'cuda'] satisfies DeviceChoice[])
    .default('auto' satisfies DeviceChoice);
}

export function threadsOption(): Option {
  return new Option('--threads <n>', 'threads of the CPU (default: all cores)').argParser(wholeNumber);
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It should be a whole number from 1 up.');
  return value;
}

/** The sample model that ships with Sotto, wherever this file was bundled to. */
export function sampleModelDir(): string {
  return packageFile('public/models/sample');
}

/** A file of this package: found upwards from here, since the bundle lies deeper than the source or not. */
export function packageFile(path: string): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    const candidate = join(dir, path);
    if (existsSync(candidate) || dir === dirname(dir)) return candidate;
  }
}
