// What every side reads: four seconds of noise, in the prompt that the model is asked with.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { audioRowsFor } from '../../src/model/audio-rows.ts';
import { parseConfig } from '../../src/model/config.ts';
import { renderPrompt } from '../../src/model/prompt.ts';
import { windowFeatures } from '../../src/signal/log-mel.ts';
import { Tokenizer } from '../../src/text/tokenizer.ts';
import { whiteNoise } from '../../test/signal/signals.ts';
import type { Given } from '../../test/fixtures/full-width-reading.ts';

/** It swells and fades, so that frames differ. */
export const samples = whiteNoise(64_000, 0.3).map((x, n) => x * Math.abs(Math.sin(n / 5000)));

export async function given(checkpoint: string): Promise<Given> {
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(checkpoint, name), 'utf8'));
  const config = parseConfig(await json('config.json'));
  const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
  const { prefix, suffix } = renderPrompt(tokenizer, 'Please transcribe this audio into text');
  return {
    config,
    features: windowFeatures(samples, { melBins: config.audio.melBins }),
    prompt: { prefix, suffix, audioRows: audioRowsFor(samples.length) },
  };
}
