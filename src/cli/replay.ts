// sotto replay: a session that the page's laboratory saved. Prints what happened, then reads the sound again.

import { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { AsrError, unreachable } from '../errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { Trace, TranscriptEvent } from '../engine/events.ts';
import { readSession, type Session, textOf } from '../engine/session.ts';
import { type DeviceChoice, openEngine } from '../platform/node/open-engine.ts';
import type { AudioBlock } from '../signal/units.ts';
import { deviceOption, modelOption, sampleModelDir, threadsOption } from './options.ts';

/** Another text came out. */
const EXIT_DIFFERENT = 1;
const BLOCK_SAMPLES = 16_384;

interface Flags {
  readonly model?: string;
  readonly device: DeviceChoice;
  readonly threads?: number;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Print a session that the laboratory of the page has saved, read its sound again and say whether the same text comes out.',
    )
    .argument('<file>', 'the session')
    .addOption(modelOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .action(replay);
}

async function replay(file: string, flags: Flags): Promise<void> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new AsrError('audio-not-found', `${file} cannot be opened`, { cause });
  });
  const session = readSession(bytes);
  const { model, events } = session;
  print(`${basename(file)}: ${model.modelName} (${model.profile}) on ${model.device}\n`);
  for (const event of events) for (const line of linesOf(event)) print(line);
  const request = {
    modelDir: flags.model ?? sampleModelDir(),
    ...(flags.threads !== undefined && { threads: flags.threads }),
  };
  const { engine } = await openEngine(request, flags.device);
  try {
    const { modelName, profile, device } = engine.info;
    print(`\nRead again by ${modelName} (${profile}) on ${device}:`);
    const [before, now] = [textOf(events), await readAgain(engine, session)];
    if (now === before) return print(`  ${now}\nThe same text came out.`);
    print(`  ${now}\nAnother text came out. It was:\n  ${before}`);
    process.exitCode = EXIT_DIFFERENT;
  } finally {
    await engine.release();
  }
}

async function readAgain(engine: Engine, { samples, options }: Session): Promise<string> {
  const audio = (async function* (): AsyncGenerator<AudioBlock> {
    for (let at = 0; at < samples.length; at += BLOCK_SAMPLES)
      yield { startSample: at, samples: samples.slice(at, at + BLOCK_SAMPLES) };
  })();
  const events: TranscriptEvent[] = [];
  for await (const event of engine.transcribe(
    audio,
    { ...options, trace: false },
    new AbortController().signal,
  )) {
    events.push(event);
  }
  return textOf(events);
}

/** What a person wants to know of an event; growing text and progress are left out. */
function linesOf(event: TranscriptEvent): string[] {
  switch (event.type) {
    case 'window':
      return [`  window  ${range(event)}${event.open ? ', open' : ''}`];
    case 'final': {
      const { segment } = event;
      const flags = segment.flags.length > 0 ? `  [${segment.flags.join(', ')}]` : '';
      return [`  text    ${range(segment)}  ${segment.text}${flags}`];
    }
    case 'end': {
      const { timings, durationSeconds } = event;
      return [
        `  end     ${durationSeconds.toFixed(2)} s of sound in ${timings.totalMs.toFixed(0)} ms, ${timings.tokens} tokens`,
      ];
    }
    case 'warning':
      return [`  warning ${event.message} (${event.code})`];
    case 'trace':
      return lineOfTrace(event.what).map(
        (line) => `${String(Math.round(event.atMs)).padStart(6)} ms  ${line}`,
      );
    case 'partial':
    case 'progress':
      return [];
    default:
      return unreachable(event);
  }
}

function lineOfTrace(what: Trace): string[] {
  switch (what.kind) {
    case 'gain':
      return [`gain    up to ${Math.max(...what.gainDb).toFixed(1)} dB over ${what.gainDb.length * 10} ms`];
    case 'voice': {
      const spoken = what.speech.filter(Boolean).length / what.speech.length;
      return [`voice   ${Math.round(100 * spoken)} % of ${what.speech.length * 10} ms`];
    }
    case 'reading':
      return [`reading ${range(what)}, ${what.utterances.length} utterances`];
    case 'token': {
      const percent = Math.round(100 * Math.exp(what.token.logProb));
      return [`token   ${String(percent).padStart(3)} %  ${JSON.stringify(what.token.text)}`];
    }
    case 'work':
      return [
        `work    features ${what.featuresMs.toFixed(0)}, encoder ${what.encoderMs.toFixed(0)}, ` +
          `prefill ${what.prefillMs.toFixed(0)}, steps ${what.stepsMs.toFixed(0)} ms in ${what.decoderRuns} runs`,
      ];
    case 'mel':
      return [];
    default:
      return unreachable(what);
  }
}

function range({ startSeconds, endSeconds }: { startSeconds: number; endSeconds: number }): string {
  return `${startSeconds.toFixed(2)} – ${endSeconds.toFixed(2)} s`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
