// sotto convert: a checkpoint on disk → a model that runs.

import { Command, Option } from 'commander';
import { basename, resolve } from 'node:path';
import { convert } from '../convert/convert.ts';
import { type Manifest, PROFILES, type Profile, totalBytes } from '../model/manifest.ts';
import { CheckpointFolder } from '../platform/node/checkpoint-folder.ts';
import { ModelFolderSink } from '../platform/node/model-folder-sink.ts';
import { nodeHashBytes } from '../platform/node/sha256.ts';
import { ProgressLine, bar, clock } from './progress.ts';

interface Flags {
  readonly profile: Profile;
  readonly name?: string;
  readonly searchScales?: boolean;
}

export function convertCommand(): Command {
  return new Command('convert')
    .description('Convert a GLM-ASR checkpoint (config.json, tokenizer files, model.safetensors).')
    .argument('<checkpoint-dir>', 'folder of the checkpoint')
    .argument('<out-dir>', 'folder to write the model into')
    .addOption(profileOption())
    .option('--name <name>', "what to call the model (default: the checkpoint folder's name)")
    .option('--search-scales', 'seek the best scale of every 4-bit block; about four times the time')
    .action(convertFolder);
}

export function profileOption(): Option {
  return new Option('--profile <profile>', 'how to store the weights: q8q4 for GPUs, int8 for CPUs')
    .choices(PROFILES)
    .default('q8q4' satisfies Profile);
}

async function convertFolder(checkpointDir: string, outDir: string, flags: Flags): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const line = new ProgressLine();
  const files = new CheckpointFolder(checkpointDir);
  const sink = new ModelFolderSink(outDir);
  const startMs = performance.now();
  try {
    const manifest = await convert(files, sink, {
      profile: flags.profile,
      name: flags.name ?? basename(resolve(checkpointDir)),
      signal: stop.signal,
      hashBytes: nodeHashBytes,
      ...(flags.searchScales && { searchScales: true }),
      onProgress: ({ doneBytes, totalBytes: all }) => line.show(progressText(doneBytes, all, startMs)),
    });
    line.done();
    process.stderr.write(`${summary(manifest, outDir, startMs)}\n`);
  } catch (error) {
    line.done();
    // Ctrl-C keeps what is finished, so that the next try goes on there; a failure leaves nothing behind.
    if (!stop.signal.aborted) await sink.discard();
    throw error;
  } finally {
    await files.close();
  }
}

function progressText(doneBytes: number, allBytes: number, startMs: number): string {
  const seconds = (performance.now() - startMs) / 1000;
  const fraction = allBytes === 0 ? 1 : doneBytes / allBytes;
  const leftSeconds = fraction > 0 ? (seconds / fraction) * (1 - fraction) : 0;
  return `converting ${bar(fraction)} ${megabytes(doneBytes / seconds)}/s, ${clock(leftSeconds)} left`;
}

function summary(manifest: Manifest, outDir: string, startMs: number): string {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  return `${manifest.name} (${manifest.profile}): ${megabytes(totalBytes(manifest))} in ${outDir}, ${seconds} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
