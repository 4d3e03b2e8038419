// Where a checkpoint can be given to this browser from.

import type { GivenFile } from './given-file.ts';

/** Where a checkpoint lies. */
export type PullOrigin =
  | { readonly from: 'repository'; readonly source: string }
  /** model.safetensors and whatever lies beside it; what is missing comes from the official repository. */
  | { readonly from: 'files'; readonly files: readonly GivenFile[] };

/** Whether what was given is a checkpoint, and not a converted model. */
export function holdsCheckpoint(files: readonly GivenFile[]): boolean {
  return files.some(({ path }) => path.endsWith('.safetensors'));
}
