// An alignment for the eye: two lines, unit under unit, for terminals where a Chinese character is two
// columns wide.
//
//   said   turn ON   the LIGHT
//   read   turn OFF  the *****  now

import type { Step } from './align.ts';
import { isCjk } from './normalize.ts';

export function showAlignment(steps: readonly Step[]): string {
  const columns = steps.map((step) => {
    const said = 'reference' in step ? step.reference : '';
    const read = 'hypothesis' in step ? step.hypothesis : '';
    const wrong = step.kind !== 'match';
    const [top, bottom] = [shown(said, read, wrong), shown(read, said, wrong)];
    const width = Math.max(columnsOf(top), columnsOf(bottom));
    return [padded(top, width), padded(bottom, width)] as const;
  });
  const line = (name: string, row: 0 | 1): string =>
    `${name}  ${columns.map((column) => column[row]).join(' ')}`.trimEnd();
  return `${line('said', 0)}\n${line('read', 1)}`;
}

/** What is missing is starred; what is wrong is in capitals, where the script has them. */
function shown(unit: string, other: string, wrong: boolean): string {
  if (unit === '') return '*'.repeat(columnsOf(other));
  return wrong ? unit.toUpperCase() : unit;
}

function padded(text: string, columns: number): string {
  return text + ' '.repeat(columns - columnsOf(text));
}

function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (isCjk(character) ? 2 : 1), 0);
}
