// Which clips make a curve: scenes named like `level-45` are points of the series `level`; recordings whose
// level nobody set are sorted into steps of 10 dB by what was measured.

import { type Clip, RECORDED } from '../clips.ts';
import type { ClipResult } from '../results.ts';

export interface Point {
  readonly series: string;
  /** dBFS of the speech, or of the noise floor in the series `floor`. */
  readonly x: number;
}

const STEP_DB = 10;
const NUMBERED = /^(.+?)(-\d+)$/;

export function isSeries(scene: string): boolean {
  return NUMBERED.test(scene);
}

export function pointOf(clip: Clip, result: ClipResult): Point | undefined {
  const numbered = NUMBERED.exec(clip.scene);
  if (numbered) return { series: numbered[1] ?? '', x: Number(numbered[2]) };
  if (clip.scene !== RECORDED) return undefined;
  const level = clip.levelDbfs ?? result.activeDbfs;
  return level === undefined ? undefined : { series: RECORDED, x: STEP_DB * Math.round(level / STEP_DB) };
}

/** What lies on the horizontal axis of a series, for people. */
export function axisTitle(series: string): string {
  return series === 'floor' ? 'noise floor, dBFS (speech at −45 dBFS)' : 'active speech level, dBFS';
}
