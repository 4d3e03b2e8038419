// Each clip with its sound, what was said, and what every engine read, difference by difference.

import { languageTitle } from '../language.ts';
import { errorsIn, referenceUnits } from '../scoring/error-counts.ts';
import { isCjk } from '../scoring/normalize.ts';
import type { Step } from '../scoring/align.ts';
import type { EmbeddedAudio } from './embedded-audio.ts';
import { duration } from './figures.ts';
import { type Markup, html } from './markup.ts';
import type { Reading, Summary } from './summary.ts';

/** Clip id → its sound, for those that are embedded. */
export type Sounds = ReadonlyMap<string, EmbeddedAudio>;

/** Readings of one clip by the engines that read it. */
export interface ClipReadings {
  readonly reading: Reading;
  readonly byEngine: readonly { readonly engine: string; readonly reading: Reading }[];
  /** Over all engines, to put the hardest clips first. */
  readonly errors: number;
}

export function readingsByClip({ clips, engines }: Summary): ClipReadings[] {
  return clips.flatMap((clip): ClipReadings[] => {
    const byEngine = engines.flatMap(({ run, readings }) => {
      const reading = readings.find((one) => one.clip.id === clip.id);
      return reading ? [{ engine: run.name, reading }] : [];
    });
    const first = byEngine[0];
    if (first === undefined) return [];
    const errors = byEngine.reduce((sum, { reading }) => sum + errorsIn(reading.score.counts.mixed), 0);
    return [{ reading: first.reading, byEngine, errors }];
  });
}

export function clipCard({ reading, byEngine }: ClipReadings, sounds: Sounds): Markup {
  const { clip, result } = reading;
  const level = clip.levelDbfs ?? result.activeDbfs;
  const facts = [
    languageTitle(clip.language),
    ...(level === undefined ? [] : [`${level.toFixed(0).replace('-', '−')} dBFS`]),
    `${result.seconds.toFixed(1)} s`,
  ];
  return html`<details>
    <summary>
      ${clip.id} <span class="soft">${facts.join(' · ')} · ${byEngine.map(errorText).join(' · ')}</span>
    </summary>
    ${player(sounds.get(clip.id))}
    <dl>
      <dt class="soft">said</dt>
      <dd>${clip.text === '' ? html`<span class="soft">(nothing)</span>` : clip.text}</dd>
      ${byEngine.map(
        ({ engine, reading: one }) =>
          html`<dt class="soft">${engine}, ${duration(one.result.latencyMs)}</dt>
            <dd>
              ${one.result.failed === undefined ? alignedText(one.score.steps) : html`<span class="soft">failed: ${one.result.failed}</span>`}
            </dd>`,
      )}
    </dl>
  </details>`;
}

function errorText({ engine, reading }: { engine: string; reading: Reading }): string {
  const counts = reading.score.counts.mixed;
  return `${engine} ${errorsIn(counts)}/${referenceUnits(counts)}`;
}

function player(sound: EmbeddedAudio | undefined): Markup {
  if (sound === undefined) return html``;
  const raised = sound.raisedDb.toFixed(1);
  return html`<audio controls preload="none" data-raised="${raised}" src="${sound.dataUrl}"></audio>
    <div class="soft">played ${raised} dB louder than recorded</div>`;
}

/** Matches plain; what was said and not read struck out, what was read and not said underlined. */
function alignedText(steps: readonly Step[]): Markup {
  if (steps.length === 0) return html`<span class="soft">(nothing)</span>`;
  return html`${steps.map((step, i) => {
    const next = steps[i + 1];
    const gap = next && spaced(unitOf(step), unitOf(next)) ? ' ' : '';
    switch (step.kind) {
      case 'match':
        return html`${step.hypothesis}${gap}`;
      case 'substitution':
        return html`<del>${step.reference}</del><ins>${step.hypothesis}</ins>${gap}`;
      case 'deletion':
        return html`<del>${step.reference}</del>${gap}`;
      case 'insertion':
        return html`<ins>${step.hypothesis}</ins>${gap}`;
    }
  })}`;
}

function unitOf(step: Step): string {
  return 'hypothesis' in step ? step.hypothesis : step.reference;
}

function spaced(before: string, after: string): boolean {
  return !isCjk([...before].at(-1) ?? '') && !isCjk([...after].at(0) ?? '');
}
