// Treatments that people ask for before recognition, to find out whether they help. The engine has none of
// them; they stand here so that the question can be asked again.

import { SAMPLE_RATE } from '../../signal/units.ts';
import { butterworth } from '../scenes/filters.ts';

/** `band`: speech-band emphasis, 300–3000 Hz. `peak`: the loudest sample brought to −1 dBFS. */
export const PRE_FILTERS = ['none', 'band', 'peak'] as const;
export type PreFilter = (typeof PRE_FILTERS)[number];

/** 12 dB per octave on either side. */
const ORDER = 2;
const PEAK = 10 ** (-1 / 20);

export function preFilter(samples: Float32Array, filter: PreFilter): Float32Array {
  switch (filter) {
    case 'none':
      return samples;
    case 'band': {
      const low = butterworth(Float64Array.from(samples), SAMPLE_RATE, 'high-pass', 300, ORDER);
      return Float32Array.from(butterworth(low, SAMPLE_RATE, 'low-pass', 3_000, ORDER));
    }
    case 'peak': {
      const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      return peak > 0 ? samples.map((sample) => (sample * PEAK) / peak) : samples;
    }
  }
}
