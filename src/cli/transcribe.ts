// sotto transcribe: files → text. Text on standard output, progress on standard error.

import { Command, Option } from 'commander';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { AsrError, isAsrError } from '../errors.ts';
import type { Engine } from '../engine/engine.ts';
import { DEFAULT_OPTIONS, EXACT_OPTIONS, type TranscribeOptions } from '../engine/events.ts';
import { openAudioFile } from '../platform/node/decode-file.ts';
import { type DeviceChoice, openEngine } from '../platform/node/open-engine.ts';
import { exitCodeOf, explain, warn } from './failure.ts';
import { deviceOption, modelOption, sampleModelDir, threadsOption, wholeNumber } from './options.ts';
import { ProgressLine, bar, clock } from './progress.ts';
import { FORMATS, type Format, type Transcript, render } from './transcript-formats.ts';

interface Flags {
  readonly model?: string;
  readonly device: DeviceChoice;
  readonly threads?: number;
  readonly format: Format;
  readonly out?: string;
  readonly exact?: boolean;
  readonly maxNewTokens?: number;
  readonly prompt?: string;
}

export function transcribeCommand(): Command {
  return new Command('transcribe')
    .description('Write down what is said in audio files (WAV, AIFF, MP3, FLAC, OGG Vorbis, Opus and more).')
    .argument('<file...>', 'audio files')
    .addOption(modelOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(
      new Option('--format <format>', 'what to write').choices(FORMATS).default('txt' satisfies Format),
    )
    .option('--out <dir>', 'write one file per recording into this folder instead of standard output')
    .option(
      '--exact',
      "the reference's behavior: no gain, no voice detection, no loop guard; clips up to 30 s",
    )
    .addOption(new Option('--max-new-tokens <n>', 'most tokens per segment').argParser(wholeNumber))
    .option('--prompt <text>', 'instruction in place of the one that the model was trained with')
    .action(transcribeFiles);
}

/** One bad file does not stop the others; the exit code is that of the first failure. */
async function transcribeFiles(files: readonly string[], flags: Flags): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const line = new ProgressLine();
  if (flags.out !== undefined) await makeFolder(flags.out);
  const request = {
    modelDir: flags.model ?? sampleModelDir(),
    ...(flags.threads !== undefined && { threads: flags.threads }),
  };
  const open = async (): Promise<Engine> => {
    const { engine } = await openEngine(request, flags.device, (event) => {
      if (event.type === 'stage') line.show(`loading the model: ${event.stage}`);
    });
    return engine;
  };
  let engine: Engine | undefined = await open();
  const write =
    flags.out === undefined ? toStdout(flags.format, files) : toFolder(flags.out, flags.format, files);
  try {
    for (const file of files) {
      try {
        engine ??= await open();
        await write(await transcribeFile(engine, file, flags, line, stop.signal));
      } catch (error) {
        stop.signal.throwIfAborted();
        line.done();
        process.stderr.write(`sotto: ${file}: ${explain(error)}\n`);
        process.exitCode ||= exitCodeOf(error);
        // The next file gets a new one.
        if (isAsrError(error) && error.code === 'engine-died') engine = undefined;
      }
    }
  } finally {
    line.done();
    await engine?.release();
  }
}

async function transcribeFile(
  engine: Engine,
  file: string,
  flags: Flags,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<Transcript> {
  const startMs = performance.now();
  const audio = await openAudioFile(file);
  const transcript: Transcript = {
    file,
    model: `${engine.info.modelName} (${engine.info.profile})`,
    device: engine.info.device,
    durationSeconds: 0,
    segments: [],
    timings: {},
    totalMs: 0,
  };
  for await (const event of engine.transcribe(audio.blocks(signal), optionsOf(flags), signal)) {
    if (event.type === 'warning') {
      line.done();
      warn(event);
    }
    if (event.type === 'final') transcript.segments.push(event.segment);
    if (event.type === 'progress')
      line.show(progressText(file, event.doneSeconds, audio.durationSeconds, startMs));
    if (event.type === 'partial') line.show(`${basename(file)}: ${event.committed}${event.tentative}`);
    if (event.type === 'end') {
      transcript.durationSeconds = event.durationSeconds;
      transcript.timings = event.timings;
    }
  }
  line.done();
  return { ...transcript, totalMs: performance.now() - startMs };
}

function optionsOf({ exact, maxNewTokens, prompt }: Flags): TranscribeOptions {
  return {
    ...(exact ? EXACT_OPTIONS : DEFAULT_OPTIONS),
    ...(maxNewTokens !== undefined && { maxNewTokens }),
    ...(prompt !== undefined && { instruction: prompt }),
  };
}

function progressText(
  file: string,
  doneSeconds: number,
  totalSeconds: number | undefined,
  startMs: number,
): string {
  if (totalSeconds === undefined || totalSeconds === 0)
    return `${basename(file)}: ${clock(doneSeconds)} read`;
  const fraction = doneSeconds / totalSeconds;
  const leftSeconds = fraction > 0 ? ((performance.now() - startMs) / 1000 / fraction) * (1 - fraction) : 0;
  return `${basename(file)} ${bar(fraction)} ${clock(doneSeconds)} of ${clock(totalSeconds)}, ${clock(leftSeconds)} left`;
}

type Write = (transcript: Transcript) => Promise<void>;

function toStdout(format: Format, files: readonly string[]): Write {
  return async (transcript) => {
    const title = files.length > 1 && format === 'txt' ? `==> ${transcript.file} <==\n` : '';
    process.stdout.write(title + render(transcript, format));
  };
}

/** One file per recording, complete or not there at all. */
function toFolder(dir: string, format: Format, files: readonly string[]): Write {
  const stems = files.map((file) => basename(file, extname(file)));
  return async (transcript) => {
    const stem = basename(transcript.file, extname(transcript.file));
    // Two recordings of one name (talk.mp3, talk.wav) keep their endings.
    const name = stems.filter((other) => other === stem).length > 1 ? basename(transcript.file) : stem;
    const path = join(dir, `${name}.${format}`);
    const unfinished = `${path}.part`;
    try {
      await writeFile(unfinished, render(transcript, format));
      await rename(unfinished, path);
    } catch (cause) {
      await rm(unfinished, { force: true });
      throw new AsrError('output-unwritable', `${path} cannot be written`, { cause });
    }
  };
}

async function makeFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true }).catch((cause: unknown) => {
    throw new AsrError('output-unwritable', `${dir} cannot be made`, { cause });
  });
}
