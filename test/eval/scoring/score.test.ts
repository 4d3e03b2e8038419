import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorsIn } from '../../../src/eval/scoring/error-counts.ts';
import { normalizeText } from '../../../src/eval/scoring/normalize.ts';
import { scoreClip } from '../../../src/eval/scoring/score.ts';
import { METRICS, type Metric } from '../../../src/eval/scoring/choices.ts';
import { unitsOf } from '../../../src/eval/scoring/units.ts';

/** scripts/goldens/scoring.py: [matches, substitutions, deletions, insertions] by jiwer. */
type Golden = { said: string; read: string; reference: string; hypothesis: string } & Record<
  Metric,
  number[]
>;

const path = new URL('../../fixtures/goldens/scoring.json', import.meta.url);
const goldens = JSON.parse(readFileSync(path, 'utf8')) as Golden[];

test('normalizes as the independent implementation does', () => {
  for (const { said, read, reference, hypothesis } of goldens) {
    expect(normalizeText(said, 'keep')).toBe(reference);
    expect(normalizeText(read, 'keep')).toBe(hypothesis);
  }
});

test.each(METRICS)('counts %s as jiwer does, kind by kind', (metric) => {
  expect(goldens.length).toBeGreaterThan(150);
  for (const golden of goldens) {
    const { matches, substitutions, deletions, insertions } = scoreClip(golden.said, golden.read, 'keep')
      .counts[metric];
    expect([matches, substitutions, deletions, insertions], JSON.stringify(golden)).toEqual(golden[metric]);
  }
});

describe('script', () => {
  test('Traditional and Simplified differ unless they are folded', () => {
    const errors = (script: 'keep' | 'fold'): number =>
      errorsIn(scoreClip('謝謝你們，著名的裡面', '谢谢你们，著名的里面', script).counts.characters);
    expect(errors('keep')).toBe(4);
    expect(errors('fold')).toBe(0);
  });

  test('folding brings the forms of Taiwan and Hong Kong together', () => {
    expect(normalizeText('裏面為衞', 'fold')).toBe(normalizeText('裡面爲衛', 'fold'));
  });

  test('folding leaves Simplified text alone', () => {
    const text = '皇后以后头发里程干净面包只有';
    expect(normalizeText(text, 'fold')).toBe(text);
  });

  test('Cantonese characters stay Cantonese', () => {
    const cantonese = '嘅咗哋喺嚟冇啲噉㗎喇佢唔嘢咁囉';
    expect(normalizeText(cantonese, 'keep')).toBe(cantonese);
    expect([...normalizeText(cantonese, 'fold')].filter((c) => cantonese.includes(c))).toHaveLength(
      [...cantonese].length - 1, // 囉 → 啰
    );
    expect(errorsIn(scoreClip('佢唔喺度', '他不在这里', 'fold').counts.mixed)).toBe(5);
  });

  test('two spellings of one particle are one', () => {
    expect(normalizeText('幾好\u{20e0f}。開心\u{210c9}。', 'keep')).toBe('幾好嘅開心㗎');
  });
});

test('a Chinese character and a Latin word weigh the same in mixed units', () => {
  expect(unitsOf(normalizeText('打开 iPhone 的 Wi-Fi，3.5 元', 'keep'), 'mixed')).toEqual([
    ...['打', '开', 'iphone', '的', 'wi', 'fi', '3.5', '元'],
  ]);
});
