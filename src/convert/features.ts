// What the checkpoint says about its features and its prompt, checked against what this program computes.

import { AsrError } from '../errors.ts';
import { Fields } from '../fields.ts';
import type { FeatureSettings } from '../model/manifest.ts';
import type { CheckpointFiles } from './byte-source.ts';
import { readOptionalJson } from './json-source.ts';

const PROCESSOR = 'processor_config.json';
const PREPROCESSOR = 'preprocessor_config.json';

/** The features that the signal path computes (src/signal/units.ts); a test keeps the two equal. */
export const COMPUTED_FEATURES = {
  sampleRate: 16_000,
  fftSize: 400,
  hopSamples: 160,
  windowSeconds: 30,
} as const;

/** The instruction of the official checkpoint, for copies whose processor_config.json lacks it. */
const OFFICIAL_INSTRUCTION = 'Please transcribe this audio into text';

export interface Processing {
  readonly features: FeatureSettings;
  readonly instruction: string;
}

/**
 * Reads processor_config.json, or preprocessor_config.json of older layouts.
 *
 * Fails with `checkpoint-not-found` when there is neither, and with `checkpoint-unsupported` when the model wants
 * other features than we compute.
 */
export async function readProcessing(
  files: CheckpointFiles,
  melBins: number,
  signal: AbortSignal,
): Promise<Processing> {
  const json = await readOptionalJson(files, PROCESSOR, signal);
  const processor = json === undefined ? undefined : new Fields(json, PROCESSOR, 'checkpoint-malformed');
  const instruction = processor?.string('default_transcription_prompt', OFFICIAL_INSTRUCTION);
  const extractor = processor?.has('feature_extractor')
    ? processor.object('feature_extractor')
    : await readPreprocessor(files, signal);
  checkFeatures(extractor, melBins);
  return { features: { ...COMPUTED_FEATURES, melBins }, instruction: instruction ?? OFFICIAL_INSTRUCTION };
}

async function readPreprocessor(files: CheckpointFiles, signal: AbortSignal): Promise<Fields> {
  const json = await readOptionalJson(files, PREPROCESSOR, signal);
  if (json !== undefined) return new Fields(json, PREPROCESSOR, 'checkpoint-malformed');
  throw new AsrError(
    'checkpoint-not-found',
    `neither ${PROCESSOR} nor ${PREPROCESSOR} says what the model hears`,
  );
}

function checkFeatures(extractor: Fields, melBins: number): void {
  const wanted: Readonly<Record<string, number>> = {
    feature_size: melBins,
    sampling_rate: COMPUTED_FEATURES.sampleRate,
    n_fft: COMPUTED_FEATURES.fftSize,
    hop_length: COMPUTED_FEATURES.hopSamples,
    chunk_length: COMPUTED_FEATURES.windowSeconds,
    dither: 0,
    padding_value: 0,
  };
  for (const [name, value] of Object.entries(wanted)) {
    const found = extractor.optionalNumber(name) ?? value;
    if (found !== value) extractor.refuse(name, `${found}; only ${value} is computed here`);
  }
}
