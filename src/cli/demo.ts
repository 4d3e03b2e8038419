// sotto demo: the sample model reads the clips that ship with Sotto.

import { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsrError } from '../errors.ts';
import type { Engine } from '../engine/engine.ts';
import { DEFAULT_OPTIONS } from '../engine/events.ts';
import { Fields } from '../fields.ts';
import { openAudioFile } from '../platform/node/decode-file.ts';
import { type DeviceChoice, openEngine } from '../platform/node/open-engine.ts';
import { joinText } from '../text/join.ts';
import { deviceOption, modelOption, packageFile, sampleModelDir } from './options.ts';

interface Clip {
  readonly file: string;
  readonly levelDbfs: number;
  readonly text: string;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('Let the sample model read the clips that ship with Sotto.')
    .addOption(modelOption())
    .addOption(deviceOption())
    .action(async (flags: { model?: string; device: DeviceChoice }) => {
      const folder = packageFile('public/clips');
      const clips = await readClips(folder);
      const { engine } = await openEngine({ modelDir: flags.model ?? sampleModelDir() }, flags.device);
      try {
        process.stdout.write(`${engine.info.modelName} on ${engine.info.device}\n\n`);
        for (const clip of clips) process.stdout.write(`${await readClip(engine, folder, clip)}\n`);
      } finally {
        await engine.release();
      }
    });
}

/** One line: clip, level, time, text; and what was said, where that differs. */
async function readClip(engine: Engine, folder: string, clip: Clip): Promise<string> {
  const signal = new AbortController().signal;
  const startMs = performance.now();
  const audio = await openAudioFile(join(folder, clip.file));
  const pieces: string[] = [];
  for await (const event of engine.transcribe(audio.blocks(signal), DEFAULT_OPTIONS, signal)) {
    if (event.type === 'final') pieces.push(event.segment.text);
  }
  const text = joinText(pieces);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const line = `${clip.file.padEnd(34)} ${String(clip.levelDbfs).padStart(4)} dBFS  ${seconds.padStart(5)} s  ${text}`;
  return text === clip.text ? line : `${line}   (said: ${clip.text})`;
}

async function readClips(folder: string): Promise<Clip[]> {
  const path = join(folder, 'clips.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AsrError('audio-not-found', `there is no ${path}`, { cause });
  });
  const list: unknown = JSON.parse(text);
  return new Fields({ clips: list }, path, 'audio-malformed').objects('clips').map((clip) => ({
    file: clip.string('file'),
    levelDbfs: clip.number('levelDbfs'),
    text: clip.string('text'),
  }));
}
