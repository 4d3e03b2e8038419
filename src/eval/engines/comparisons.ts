// Sets of engines that answer a question about our own. The first one is what the others are compared with.

import { type EngineSpec, parseEngineSpec } from './engine-spec.ts';

const SPECS = {
  /** What each part of the signal path does to the error rate. */
  'front-end': [
    'sotto,name=defaults',
    'sotto,gain=off',
    'sotto,gain=off,filter=peak,name=peak in place of gain',
    'sotto,filter=band',
    'sotto,voice=off',
    'sotto,pad=short',
    'sotto,alone=on',
    'sotto,exact=on',
  ],
} as const satisfies Record<string, readonly string[]>;

export const COMPARISONS = Object.keys(SPECS) as (keyof typeof SPECS)[];
export type Comparison = keyof typeof SPECS;

export function enginesOf(comparison: Comparison): EngineSpec[] {
  return SPECS[comparison].map(parseEngineSpec);
}
