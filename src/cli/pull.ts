// sotto pull: a checkpoint from its repository → a model that runs, without the file ever lying here.

import { Command } from 'commander';
import { resolve } from 'node:path';
import { type Profile, totalBytes } from '../model/manifest.ts';
import { modelsFolder } from '../platform/node/data-folder.ts';
import { openPullSource } from '../platform/node/pull.ts';
import { diskLibrary } from '../platform/node/shard-store.ts';
import { pullModel } from '../platform/pull/pull.ts';
import type { PullProgress } from '../platform/pull/progress.ts';
import { OFFICIAL_MODELSCOPE, OFFICIAL_SOURCE } from '../platform/pull/repository.ts';
import { profileOption } from './convert.ts';
import { wholeNumber } from './options.ts';
import { bar, clock, ProgressLine } from './progress.ts';

interface Flags {
  readonly source: string;
  readonly profile: Profile;
  readonly out?: string;
  readonly name?: string;
  readonly connections?: number;
  readonly searchScales?: boolean;
}

export function pullCommand(): Command {
  return new Command('pull')
    .description('Fetch the official checkpoint and convert it on the way; goes on where it was stopped.')
    .option(
      '--source <source>',
      `hf:REPO[@REV], modelscope:REPO[@REV], an address or a folder (or ${OFFICIAL_MODELSCOPE})`,
      OFFICIAL_SOURCE,
    )
    .addOption(profileOption())
    .option('--out <dir>', "folder of models to store it in (default: this user's data folder)")
    .option('--name <name>', "what to call the model (default: the repository's name)")
    .option('--connections <n>', 'parts fetched at once (default: 6)', wholeNumber)
    .option('--search-scales', 'seek the best scale of every 4-bit block; about four times the time')
    .action(pull);
}

async function pull(flags: Flags): Promise<void> {
  const { profile, name, connections, searchScales } = flags;
  const root = resolve(flags.out ?? modelsFolder());
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const line = new ProgressLine();
  const startMs = performance.now();
  const options = {
    profile,
    signal: stop.signal,
    onProgress: (progress: PullProgress) => line.show(progressText(progress)),
    onWait: () => process.stderr.write('Another program is pulling this model; waiting for it.\n'),
    ...(name !== undefined && { name }),
    ...(connections !== undefined && { connections }),
    ...(searchScales && { searchScales }),
  };
  try {
    const source = await openPullSource(flags.source, options);
    const licence = source.about.licence ?? 'unknown; see its repository';
    process.stderr.write(`${source.name} → ${profile}. Licence of the weights: ${licence}.\n`);
    const pulled = await pullModel(source, diskLibrary(root), options);
    line.done();
    const seconds = (performance.now() - startMs) / 1000;
    const received = pulled.receivedBytes / 1e6;
    const checked = pulled.verified ? 'matches its published SHA-256' : 'its source publishes no SHA-256';
    process.stderr.write(
      `${pulled.id}: ${megabytes(totalBytes(pulled.manifest))}; ${received.toFixed(1)} MB read in ` +
        `${seconds.toFixed(1)} s (${(received / seconds).toFixed(1)} MB/s), ${checked}.\n`,
    );
    process.stdout.write(`${resolve(root, pulled.id)}\n`);
  } finally {
    line.done();
  }
}

function progressText({ at, doneBytes, totalBytes: all, bytesPerSecond, secondsLeft }: PullProgress): string {
  const doing = at === 'retrying' ? 'trying again' : at === 'checking' ? 'checking' : 'pulling';
  const left = secondsLeft === undefined ? '' : `, ${clock(secondsLeft)} left`;
  return `${doing} ${bar(all === 0 ? 0 : doneBytes / all)} ${megabytes(bytesPerSecond)}/s${left}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
