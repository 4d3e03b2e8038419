import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/model/config.ts';
import { expectSeededEmbeds, expectSeededLogits, expectSeededStates } from '../fixtures/seeded-goldens.ts';
import { distance } from '../fixtures/graph-runner.ts';
import { randomCases, randomWeights } from '../fixtures/random-checkpoints.ts';
import { SEEDED_CONFIG, SEEDED_GREEDY, SEEDED_PROMPT, seededFeatures } from '../fixtures/seeded-model.ts';
import { seededTensors } from '../fixtures/seeded-weights.ts';
import { decode, embed, encode, type Weights } from './forward.ts';
import { type Matrix, row, rowsOf, stack } from './matrix.ts';

function promptRows(
  config: ReturnType<typeof parseConfig>,
  weights: Weights,
  prompt: { prefix: readonly number[]; suffix: readonly number[]; audioRows: number },
  embeds: Matrix,
): Float32Array[] {
  const rowsOf = (x: Matrix, count = x.rows): Float32Array[] =>
    Array.from({ length: count }, (_, r) => row(x, r));
  return [
    ...rowsOf(embed(config, weights, prompt.prefix)),
    ...rowsOf(embeds).slice(0, prompt.audioRows),
    ...rowsOf(embed(config, weights, prompt.suffix)),
  ];
}

// Two billion multiplications in plain TypeScript: seconds on an idle machine, minutes on a busy one.
test('the seeded model gives its golden numbers', { timeout: 300_000 }, () => {
  const config = parseConfig(SEEDED_CONFIG);
  const tensors = new Map(seededTensors(config, true).map(({ name, values }) => [name, values]));
  const weights: Weights = { tensor: (name) => tensors.get(name) };
  const { states, embeds } = encode(config, weights, { rows: 128, columns: 3000, data: seededFeatures() });
  expectSeededStates(states.data);
  expectSeededEmbeds(embeds.data.subarray(0, SEEDED_PROMPT.audioRows * embeds.columns));
  const rows = promptRows(config, weights, SEEDED_PROMPT, embeds);
  const logits = decode(config, weights, stack(rows, embeds.columns));
  expectSeededLogits(row(logits, 0), row(logits, 5), row(logits, 51));

  const ids: number[] = [];
  while (ids.length < SEEDED_GREEDY.length) {
    const all = decode(
      config,
      weights,
      stack([...rows, ...rowsOf(embed(config, weights, ids))], embeds.columns),
    );
    const last = row(all, all.rows - 1);
    ids.push(last.indexOf(last.reduce((a, b) => Math.max(a, b))));
  }
  expect(ids).toEqual(SEEDED_GREEDY);
});

describe.each(randomCases())('$name', (of) => {
  test('gives the golden logits', () => {
    const { config, tensor } = randomWeights(of);
    const features = seededFeatures(of.frames, config.audio.melBins);
    const { embeds } = encode(
      config,
      { tensor },
      { rows: config.audio.melBins, columns: of.frames, data: features },
    );
    const prompt = { prefix: of.prompt.slice(0, 3), suffix: of.prompt.slice(3), audioRows: of.audioRows };
    const rows = promptRows(config, { tensor }, prompt, embeds);
    const logits = decode(config, { tensor }, stack(rows, embeds.columns));
    expect(distance(row(logits, logits.rows - 1), of.logits)).toBeLessThan(1e-4);
  });
});
