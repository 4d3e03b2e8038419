import { describe, expect, test } from 'vitest';
import type { CheckpointFiles } from '../../src/convert/byte-source.ts';
import { openCheckpoint } from '../../src/convert/checkpoint.ts';
import { readProcessing } from '../../src/convert/features.ts';
import { readTokenizer } from '../../src/convert/tokenizer-files.ts';
import { parseConfig } from '../../src/model/config.ts';
import { HOP_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE, WINDOW_SECONDS } from '../../src/signal/units.ts';
import { memoryCheckpoint, safetensors, utf8 } from '../fixtures/memory-checkpoint.ts';
import { processorConfig, SEEDED_CONFIG, seededFiles } from '../fixtures/seeded-model.ts';
import { type SeededTensor, seededTensors } from '../fixtures/seeded-weights.ts';

const signal = new AbortController().signal;
const config = parseConfig(SEEDED_CONFIG);
const tensors = seededTensors(config, true);

function checkpointOf(weights: readonly SeededTensor[], json: object = SEEDED_CONFIG): CheckpointFiles {
  return memoryCheckpoint({ 'config.json': json, 'model.safetensors': safetensors(weights) });
}

function renamed(from: RegExp, to: string): SeededTensor[] {
  return tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(from, to) }));
}

test('accounts for every tensor of the official naming', async () => {
  const checkpoint = await openCheckpoint(checkpointOf(tensors), signal);
  expect(checkpoint.tensors.size).toBe(61);
  expect(checkpoint.head).toBe('separate');
});

test('takes a head that is a copy, and one that is not stored, for the embedding', async () => {
  const table = tensors.find(({ name }) => name.includes('embed_tokens'))!;
  const copied = tensors.map((tensor) =>
    tensor.name.includes('lm_head') ? { ...table, name: tensor.name } : tensor,
  );
  expect((await openCheckpoint(checkpointOf(copied), signal)).head).toBe('copy');
  const without = tensors.filter(({ name }) => !name.includes('lm_head'));
  expect((await openCheckpoint(checkpointOf(without), signal)).head).toBe('same');
});

describe('tells what does not fit', () => {
  test.each<[string, SeededTensor[], RegExp]>([
    [
      'a missing tensor, with the shape that is asked for',
      tensors.filter(({ name }) => name !== 'audio_tower.layers.1.mlp.fc1.weight'),
      /audio_tower\.layers\.1\.mlp\.fc1\.weight is missing.*\[512, 128\]/,
    ],
    [
      'a tensor of another shape, with both shapes',
      tensors.map((tensor) =>
        tensor.name.endsWith('layers.0.mlp.up_proj.weight') ? { ...tensor, shape: [64, 96] } : tensor,
      ),
      /up_proj\.weight is \[64, 96\]; config\.json asks for \[96, 64\]/,
    ],
    [
      'a tensor that nobody asks for',
      [...tensors, { name: 'zebra', shape: [1], values: new Float32Array(1) }],
      /zebra is unknown/,
    ],
    [
      'a bias that the config does not speak of',
      [
        ...tensors,
        { name: 'language_model.model.layers.0.mlp.up_proj.bias', shape: [96], values: new Float32Array(96) },
      ],
      /up_proj\.bias is unknown/,
    ],
  ])('%s', async (_, weights, message) => {
    await expect(openCheckpoint(checkpointOf(weights), signal)).rejects.toMatchObject({
      code: 'checkpoint-mismatch',
      message: expect.stringMatching(message) as string,
    });
  });

  test('a layer more in config.json than in the file', async () => {
    const deeper = { ...SEEDED_CONFIG, text_config: { ...SEEDED_CONFIG.text_config, num_hidden_layers: 3 } };
    await expect(openCheckpoint(checkpointOf(tensors, deeper), signal)).rejects.toMatchObject({
      code: 'checkpoint-mismatch',
      message: expect.stringContaining('layers.2.') as string,
    });
  });

  test('a tensor in a format that holds no weights', async () => {
    const file = safetensors(tensors);
    const text = new TextDecoder().decode(file.subarray(8, 20_000));
    const place = text.indexOf('"F32"') + 8;
    file.set(utf8('"I32"'), place);
    const files = memoryCheckpoint({ 'config.json': SEEDED_CONFIG, 'model.safetensors': file });
    await expect(openCheckpoint(files, signal)).rejects.toMatchObject({ code: 'checkpoint-unsupported' });
  });

  test.each([
    ['the old names of the encoder', renamed(/^audio_tower\./, 'audio_encoder.whisper.')],
    ['the old names of the language model', renamed(/^language_model\.model\./, 'model.')],
  ])('%s', async (_, weights) => {
    await expect(openCheckpoint(checkpointOf(weights), signal)).rejects.toMatchObject({
      code: 'checkpoint-old-naming',
    });
  });

  test('config.json of the old layout, of another model, or none', async () => {
    const code = async (json: object): Promise<unknown> =>
      openCheckpoint(checkpointOf(tensors, json), signal).catch(
        (error: unknown) => (error as { code: string }).code,
      );
    expect(await code({ whisper_config: {}, lm_config: {} })).toBe('checkpoint-old-naming');
    expect(await code({ model_type: 'whisper' })).toBe('checkpoint-unsupported');
    expect(await code({ ...SEEDED_CONFIG, audio_config: {} })).toBe('checkpoint-malformed');
    await expect(openCheckpoint(memoryCheckpoint({}), signal)).rejects.toMatchObject({
      code: 'checkpoint-not-found',
    });
  });
});

describe('what the checkpoint says of its features', () => {
  test('is read from processor_config.json', async () => {
    const { features, instruction } = await readProcessing(memoryCheckpoint(seededFiles()), 128, signal);
    expect(instruction).toBe('Please transcribe this audio into text');
    expect(features).toEqual({
      sampleRate: SAMPLE_RATE,
      fftSize: FRAME_SAMPLES,
      hopSamples: HOP_SAMPLES,
      windowSeconds: WINDOW_SECONDS,
      melBins: 128,
    });
  });

  test('is read from preprocessor_config.json of older layouts', async () => {
    const { feature_extractor } = processorConfig(80) as { feature_extractor: object };
    const files = memoryCheckpoint({ 'preprocessor_config.json': feature_extractor });
    expect((await readProcessing(files, 80, signal)).features.melBins).toBe(80);
  });

  test.each([
    ['another rate', { sampling_rate: 8000 }],
    ['another number of mel bins than the encoder takes', { feature_size: 80 }],
    ['another hop', { hop_length: 200 }],
    ['longer windows', { chunk_length: 60 }],
    ['dither', { dither: 0.1 }],
  ])('is refused when it asks for %s', async (_, change) => {
    const { feature_extractor } = processorConfig(128) as { feature_extractor: object };
    const files = memoryCheckpoint({
      'processor_config.json': { feature_extractor: { ...feature_extractor, ...change } },
    });
    await expect(readProcessing(files, 128, signal)).rejects.toMatchObject({
      code: 'checkpoint-unsupported',
    });
  });

  test('is missed when neither file is there', async () => {
    await expect(readProcessing(memoryCheckpoint({}), 128, signal)).rejects.toMatchObject({
      code: 'checkpoint-not-found',
    });
  });
});

test('a tokenizer that is missing, no JSON or no object is told', async () => {
  const code = async (files: Record<string, object | Uint8Array>): Promise<unknown> =>
    readTokenizer(memoryCheckpoint(files), signal).catch(
      (error: unknown) => (error as { code: string }).code,
    );
  expect(await code({})).toBe('checkpoint-not-found');
  expect(await code({ 'tokenizer.json': utf8('{'), 'tokenizer_config.json': {} })).toBe(
    'checkpoint-malformed',
  );
  expect(await code({ 'tokenizer.json': [], 'tokenizer_config.json': {} })).toBe('tokenizer-unsupported');
});
