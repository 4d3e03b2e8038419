// What each profile stores and computes: one table.

import type { Profile } from '../model/manifest.ts';
import type { ScaleChoice } from './quantize.ts';

export type Activation = 'float32' | 'float16';

/** How the weights of a matrix product are stored and multiplied. */
export type LinearFormat =
  { readonly kind: 'plain' } | { readonly kind: 'blocks'; readonly bits: 4 | 8 } | { readonly kind: 'int8' };

export interface ProfileFormats {
  /** Of everything that is not quantised: norms, biases, convolutions, and `plain` matrices. */
  readonly plain: Activation;
  readonly encoder: LinearFormat;
  readonly projector: LinearFormat;
  readonly decoder: LinearFormat;
  /** Embedding and head: one table where they share their numbers. */
  readonly table: LinearFormat;
  /** Graph pairs over the same shards, best first. */
  readonly activations: readonly Activation[];
}

const PLAIN: LinearFormat = { kind: 'plain' };
const INT8: LinearFormat = { kind: 'int8' };
const BITS_8: LinearFormat = { kind: 'blocks', bits: 8 };
const BITS_4: LinearFormat = { kind: 'blocks', bits: 4 };

export const PROFILE_FORMATS: Readonly<Record<Profile, ProfileFormats>> = {
  fp32: {
    plain: 'float32',
    encoder: PLAIN,
    projector: PLAIN,
    decoder: PLAIN,
    table: PLAIN,
    activations: ['float32'],
  },
  fp16: {
    plain: 'float16',
    encoder: PLAIN,
    projector: PLAIN,
    decoder: PLAIN,
    table: PLAIN,
    activations: ['float16', 'float32'],
  },
  // Four bits in the encoder were measured to break long and noisy audio in models of this kind; eight do not
  // (MODEL.md, "Profiles"). The decoder bears them.
  q8q4: {
    plain: 'float16',
    encoder: BITS_8,
    projector: BITS_8,
    decoder: BITS_4,
    table: BITS_8,
    activations: ['float16', 'float32'],
  },
  int8: {
    plain: 'float32',
    encoder: INT8,
    projector: INT8,
    decoder: INT8,
    table: INT8,
    activations: ['float32'],
  },
};

/** One pair of graphs: a profile's formats, computed with one type of activation. */
export interface GraphSetting {
  readonly formats: ProfileFormats;
  readonly activation: Activation;
  readonly scaleChoice: ScaleChoice;
  /** Of MatMulNBits; 0 computes with the activations as they are, 4 may round them to int8 blocks. */
  readonly accuracyLevel: 0 | 4;
  /** No weight is larger; what is gets cut. */
  readonly maxWeightBytes: number;
}
