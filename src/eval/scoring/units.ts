// Normalized text → the units in which errors are counted.

import type { Metric } from './choices.ts';
import { isCjk } from './normalize.ts';

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
