// Numbers as the report writes them, the same in terminal and page.

import { languageTitle } from '../language.ts';
import { SCENES } from '../scenes/scene.ts';
import type { Interval, MeasuredRate } from '../scoring/bootstrap.ts';
import type { Difference } from './differences.ts';
import type { EngineSummary, FalseText } from './summary.ts';

const NOTHING = '–';

/** '12.3 %' */
export function percent(rate: number): string {
  return Number.isNaN(rate) ? NOTHING : `${(100 * rate).toFixed(1)} %`;
}

/** '12.3 % (10.1–14.6)' */
export function rateText({ rate, low, high }: MeasuredRate): string {
  if (Number.isNaN(rate)) return NOTHING;
  return `${percent(rate)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`;
}

/** '+1.2 (−0.4 … +2.9)', in points of a percent; a star where zero lies outside. */
export function differenceText(difference: Difference | undefined): string {
  if (difference === undefined || Number.isNaN(difference.rate)) return NOTHING;
  const { rate, low, high } = difference;
  return `${points(rate)} (${points(low)} … ${points(high)})${isReal(difference) ? ' *' : ''}`;
}

/** True where the difference is more than chance would make it, at 95 %. */
export function isReal({ low, high }: Interval): boolean {
  return low > 0 || high < 0;
}

function points(rate: number): string {
  const text = Math.abs(100 * rate).toFixed(1);
  if (text === '0.0') return text;
  return `${rate < 0 ? '−' : '+'}${text}`;
}

/** '850 ms', '12.4 s' */
export function duration(ms: number): string {
  if (Number.isNaN(ms)) return NOTHING;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function factor(value: number): string {
  return Number.isNaN(value) ? NOTHING : value.toPrecision(2);
}

/** '1,234 MB' */
export function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? 'not measured' : `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;
}

/** 'none in 12 clips', '9 characters in 1 of 12 clips' */
export function falseTextText({ clips, characters, clipsWithText }: FalseText): string {
  if (clips === 0) return NOTHING;
  return characters === 0
    ? `none in ${counted(clips, 'clip')}`
    : `${counted(characters, 'character')} in ${clipsWithText} of ${counted(clips, 'clip')}`;
}

/** A scene or a language, for people: 'far' → 'Far field, 3 m', 'yue' → 'Cantonese'. */
export function groupTitle(name: string): string {
  return SCENES.find((scene) => scene.name === name)?.title ?? languageTitle(name);
}

/** '1 clip', '2 clips' */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** What an engine could not do here, one sentence each. */
export function limitsOf({ run, failedClips, missingClips }: EngineSummary): string[] {
  return [
    ...(run.failed === undefined ? [] : [`stopped: ${run.failed}`]),
    ...(missingClips > 0 ? [`${counted(missingClips, 'clip')} not read`] : []),
    ...(failedClips > 0 ? [`${counted(failedClips, 'clip')} failed, counted as read without text`] : []),
    ...(run.facts?.limits ?? []),
  ];
}
