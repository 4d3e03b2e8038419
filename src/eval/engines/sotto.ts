// Our own engine, with any model folder, device and options.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../engine/engine.ts';
import { DEFAULT_OPTIONS, EXACT_OPTIONS, type TranscribeOptions } from '../../engine/events.ts';
import { windowsOf } from '../../engine/windows.ts';
import { openEngine } from '../../platform/node/open-engine.ts';
import { type AudioBlock, SAMPLE_RATE } from '../../signal/units.ts';
import { joinText } from '../../text/join.ts';
import { type EngineSpec, choiceOf, numberOf, required, switchOf } from './engine-spec.ts';
import type { EngineReading, EvalEngine } from './eval-engine.ts';
import { PRE_FILTERS, preFilter } from './pre-filters.ts';

/** Fails as `openEngine` does. */
export async function openSotto(spec: EngineSpec): Promise<EvalEngine> {
  const modelDir = required(spec, 'model');
  const threads = numberOf(spec, 'threads');
  const device = choiceOf(spec, 'device', ['auto', 'cpu', 'webgpu', 'cuda'], 'auto');
  const options = optionsOf(spec);
  const filter = choiceOf(spec, 'filter', PRE_FILTERS, 'none');
  const alone = switchOf(spec, 'alone', false);
  const { engine } = await openEngine({ modelDir, ...(threads !== undefined && { threads }) }, device);
  const { modelName, profile, provider, activation, device: where } = engine.info;
  return {
    facts: {
      model: `${modelName} (${profile}, ${await manifestHash(modelDir)})`,
      device: `${provider}, ${activation}; ${where}`,
      streams: 'yes',
      limits: options.exact ? ['reads at most 30 s per clip (reference-exact)'] : [],
      inThisProcess: true,
    },
    transcribe: ({ samples }, signal) => {
      const heard = preFilter(samples, filter);
      return alone ? readApart(engine, heard, options, signal) : read(engine, heard, options, signal);
    },
    close: () => engine.release(),
  };
}

function optionsOf(spec: EngineSpec): TranscribeOptions {
  const base = switchOf(spec, 'exact', false) ? EXACT_OPTIONS : DEFAULT_OPTIONS;
  const maxNewTokens = numberOf(spec, 'max-tokens');
  const instruction = spec.settings['prompt'];
  return {
    ...base,
    gain: switchOf(spec, 'gain', base.gain),
    voiceDetection: switchOf(spec, 'voice', base.voiceDetection),
    loopGuard: switchOf(spec, 'loops', base.loopGuard),
    shortPad: choiceOf(spec, 'pad', ['window', 'short'], base.shortPad ? 'short' : 'window') === 'short',
    ...(maxNewTokens !== undefined && { maxNewTokens }),
    ...(instruction !== undefined && { instruction }),
  };
}

/** Which weights these are: the manifest names every file with its hash. */
export async function manifestHash(modelDir: string): Promise<string> {
  const manifest = await readFile(join(modelDir, 'manifest.json'));
  return createHash('sha256').update(manifest).digest('hex').slice(0, 8);
}

async function read(
  engine: Engine,
  samples: Float32Array,
  options: TranscribeOptions,
  signal: AbortSignal,
): Promise<EngineReading> {
  const startMs = performance.now();
  const pieces: string[] = [];
  let firstTextMs: number | undefined;
  for await (const event of engine.transcribe(blocksOf(samples), options, signal)) {
    const text = event.type === 'partial' ? event.committed + event.tentative : '';
    if (event.type === 'final') pieces.push(event.segment.text);
    if (text !== '' || event.type === 'final') firstTextMs ??= performance.now() - startMs;
  }
  return { text: joinText(pieces), ...(firstTextMs !== undefined && { firstTextMs }) };
}

/** The same windows and utterances, but one utterance to an encoder pass, from a window's start: what the reference would do. */
async function readApart(
  engine: Engine,
  samples: Float32Array,
  options: TranscribeOptions,
  signal: AbortSignal,
): Promise<EngineReading> {
  const pieces: string[] = [];
  for await (const window of windowsOf(blocksOf(samples), options)) {
    for (const { startSample, endSample } of window.utterances) {
      const utterance = window.samples.subarray(
        startSample - window.startSample,
        endSample - window.startSample,
      );
      pieces.push((await read(engine, utterance, { ...options, exact: true }, signal)).text);
    }
  }
  return { text: joinText(pieces) };
}

async function* blocksOf(samples: Float32Array): AsyncGenerator<AudioBlock, void> {
  for (let start = 0; start < samples.length; start += SAMPLE_RATE) {
    // A copy: blocks are moved to the engine's thread.
    yield { startSample: start, samples: samples.slice(start, start + SAMPLE_RATE) };
  }
}
