// What an error is counted in. All three take normalized text.

import { isCjk } from './normalize.ts';

/**
 * `characters`: for CER; the spaces between Latin words count, as is usual.
 * `words`: for WER; what stands between spaces, so that a Chinese sentence is a single word.
 * `mixed`: each Chinese or Japanese character, each word of any other script; for text that has both.
 */
export const METRICS = ['mixed', 'characters', 'words'] as const;
export type Metric = (typeof METRICS)[number];

/** How people call the rates. */
export const METRIC_NAMES: Readonly<Record<Metric, string>> = {
  mixed: 'MER',
  characters: 'CER',
  words: 'WER',
};

/** '打开iphone吗' in mixed units → ['打', '开', 'iphone', '吗'] */
export function unitsOf(normalized: string, metric: Metric): string[] {
  switch (metric) {
    case 'characters':
      return [...normalized];
    case 'words':
      return normalized.split(' ').filter((word) => word !== '');
    case 'mixed':
      return mixedUnits(normalized);
  }
}

function mixedUnits(normalized: string): string[] {
  const units: string[] = [];
  let word = '';
  const endWord = (): void => {
    if (word !== '') units.push(word);
    word = '';
  };
  for (const character of normalized) {
    if (isCjk(character) || character === ' ') endWord();
    if (isCjk(character)) units.push(character);
    else if (character !== ' ') word += character;
  }
  endWord();
  return units;
}
