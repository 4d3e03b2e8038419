// A recording inside the page: µ-law at 16 kHz, half the size of PCM. It is made louder until its peak is just
// below full scale, since the recordings of this report are too quiet for most loudspeakers, and so that
// µ-law's eight bits go to the speech; the page says by how much and can play it at its own level.

import { SAMPLE_RATE } from '../../signal/units.ts';
import { toMuLaw } from '../scenes/telephone.ts';

export interface EmbeddedAudio {
  readonly dataUrl: string;
  readonly raisedDb: number;
}

const PEAK = 0.9;
const MAX_RAISE_DB = 60;
const HEADER_BYTES = 58;

export function embedAudio(samples: Float32Array): EmbeddedAudio {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const raisedDb = Math.min(MAX_RAISE_DB, peak > 0 ? Math.max(0, 20 * Math.log10(PEAK / peak)) : 0);
  const gain = 10 ** (raisedDb / 20);
  const codes = Uint8Array.from(samples, (sample) => toMuLaw(gain * sample));
  const base64 = Buffer.from(muLawWav(codes)).toString('base64');
  return { dataUrl: `data:audio/wav;base64,${base64}`, raisedDb };
}

/** RIFF, `fmt ` (18 bytes, as formats other than PCM have it), `fact`, `data`. */
function muLawWav(codes: Uint8Array): Uint8Array {
  const padded = codes.length + (codes.length % 2);
  const bytes = new Uint8Array(HEADER_BYTES + padded);
  const view = new DataView(bytes.buffer);
  const letters = (at: number, text: string): void => {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  };
  letters(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  letters(8, 'WAVEfmt ');
  view.setUint32(16, 18, true);
  view.setUint16(20, 7, true); //              µ-law
  view.setUint16(22, 1, true); //              one channel
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, SAMPLE_RATE, true); //    bytes per second
  view.setUint16(32, 1, true); //              bytes per frame
  view.setUint16(34, 8, true);
  letters(38, 'fact');
  view.setUint32(42, 4, true);
  view.setUint32(46, codes.length, true);
  letters(50, 'data');
  view.setUint32(54, codes.length, true);
  bytes.set(codes, HEADER_BYTES);
  return bytes;
}
