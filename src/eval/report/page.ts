// The report as one HTML file that needs nothing else: tables, curves, bars, and every clip beside its text.

import { createHash } from 'node:crypto';
import { METRIC_NAMES, type Metric } from '../scoring/choices.ts';
import { type BarGroup, barChart } from './bar-chart.ts';
import { type Sounds, clipCard, readingsByClip } from './clip-cards.ts';
import { differenceRows } from './differences.ts';
import {
  counted,
  differenceText,
  duration,
  factor,
  falseTextText,
  groupTitle,
  isReal,
  limitsOf,
  megabytes,
  rateText,
} from './figures.ts';
import { colorClass, lineChart } from './line-chart.ts';
import { type Filling, type Markup, html } from './markup.ts';
import { SCRIPT, STYLE } from './page-style.ts';
import { axisTitle } from './series.ts';
import { type EngineSummary, type Group, type Summary, inOrder } from './summary.ts';

/** How the report came about, as it is printed at its head. */
export interface ReportFacts {
  readonly command: string;
  readonly machine: string;
  /** ISO date. */
  readonly date: string;
}

/** The whole file. `metric` is the rate in charts and tables. */
export function reportPage(summary: Summary, metric: Metric, sounds: Sounds, facts: ReportFacts): string {
  const { engines } = summary;
  const name = METRIC_NAMES[metric];
  const body = html`<header>
      <h1>Quiet speech, measured</h1>
      <p class="soft">
        ${facts.date} · ${counted(summary.clips.length, 'clip')} · ${facts.machine}<br /><code
          >${facts.command}</code
        >
      </p>
    </header>
    <main>
      ${enginesSection(engines, metric)} ${curves(engines, metric)}
      ${bars('Scenes', engines, metric, ({ scenes }) => scenes)}
      ${bars('Languages', engines, metric, ({ languages }) => languages)}
      ${differencesSection(summary, metric)} ${ratesTable(engines)} ${methodSection(summary, name)}
      ${clipsSection(summary, sounds)}
    </main>`;
  return page(body);
}

function page(body: Markup): string {
  const policy = [
    "default-src 'none'",
    'media-src data:',
    `style-src 'sha256-${sha256(STYLE)}'`,
    `script-src 'sha256-${sha256(SCRIPT)}'`,
  ].join('; ');
  const head = html`<meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <title>Quiet speech, measured</title>`;
  // Style and script stand as they are: escaping would change them, and their hashes with them.
  return `<!doctype html>\n<html lang="en">\n<head>\n${head.text}\n<style>${STYLE}</style>\n</head>\n<body>\n${body.text}\n<script>${SCRIPT}</script>\n</body>\n</html>\n`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function enginesSection(engines: readonly EngineSummary[], metric: Metric): Markup {
  const rate = METRIC_NAMES[metric];
  const head = [
    'engine',
    rate,
    'median',
    '95th',
    'first text',
    'RTF',
    'peak memory',
    'streams',
    'false text',
  ];
  const rows = engines.map(({ run, all, medianMs, p95Ms, firstTextMs, rtf, falseText }): Filling[] => [
    run.name,
    rateText(all[metric]),
    duration(medianMs),
    duration(p95Ms),
    duration(firstTextMs),
    factor(rtf),
    megabytes(run.peakMemoryBytes),
    run.facts?.streams ?? '–',
    falseTextText(falseText),
  ]);
  const described = engines.map(
    (engine) =>
      html`<li>
        <strong>${engine.run.name}</strong>: ${describe(engine)}.
        ${limitsOf(engine).map((limit) => html` ${capital(limit)}.`)}
      </li>`,
  );
  return html`<h2>Engines</h2>
    ${table('Latency is from handing over the whole recording to having the whole text; RTF is work per second of audio.', head, rows)}
    <ul>
      ${described}
    </ul>`;
}

function describe({ run: { facts } }: EngineSummary): string {
  return facts ? `${facts.model}; ${facts.device}` : 'could not be opened';
}

function curves(engines: readonly EngineSummary[], metric: Metric): Markup {
  const series = [...new Set(engines.flatMap(({ points }) => points.map((point) => point.series)))];
  series.sort((a, b) => Number(a === 'floor') - Number(b === 'floor')); // levels first
  const charts = series.map((one) => {
    const lines = engines.map(({ run, points }, place) => ({
      name: run.name,
      place,
      points: points.filter((point) => point.series === one).map(({ x, rates }) => ({ x, ...rates[metric] })),
    }));
    const xTitle = axisTitle(one);
    return html`<figure class="wide">
      ${lineChart({ title: `Error against ${xTitle}`, xTitle, yTitle: METRIC_NAMES[metric], falling: one !== 'floor', curves: lines })}
      <figcaption>Series “${one}”; bands are 95 % intervals.</figcaption>
    </figure>`;
  });
  return series.length === 0
    ? html``
    : html`<h2>Error against level</h2>
        ${legend(engines)}${charts}`;
}

function bars(
  title: string,
  engines: readonly EngineSummary[],
  metric: Metric,
  groupsOf: (engine: EngineSummary) => readonly Group[],
): Markup {
  const names = [...new Set(engines.flatMap((engine) => groupsOf(engine).map(({ name }) => name)))];
  const groups = names.map((name): BarGroup => ({
    name: groupTitle(name),
    bars: engines.flatMap((engine, place) => {
      const rates = groupsOf(engine).find((group) => group.name === name)?.rates[metric];
      return rates ? [{ engine: engine.run.name, place, ...rates }] : [];
    }),
  }));
  if (groups.length === 0) return html``;
  return html`<h2>${title}</h2>
    ${legend(engines)}
    <figure class="wide">${barChart(`${METRIC_NAMES[metric]} per group: ${title}`, groups)}</figure>`;
}

function legend(engines: readonly EngineSummary[]): Markup {
  return html`<p>
    ${engines.map(
      ({ run }, place) =>
        html`<span class="key"
          ><svg viewBox="0 0 44 16" aria-hidden="true">
            <line class="curve ${colorClass(place)}" x1="2" x2="42" y1="8" y2="8" /></svg
          >${run.name}</span
        >`,
    )}
  </p>`;
}

function differencesSection(summary: Summary, metric: Metric): Markup {
  const rows = differenceRows(summary, metric).map(({ group, differences }): Filling[] => [
    groupTitle(group),
    ...differences.map((difference) =>
      difference && isReal(difference)
        ? html`<strong>${differenceText(difference)}</strong>`
        : differenceText(difference),
    ),
  ]);
  const [first, ...others] = summary.engines.map(({ run }) => run.name);
  if (rows.length === 0) return html``;
  const caption = `${METRIC_NAMES[metric]} less that of ${first ?? ''}, in points, over the clips that both have read, with 95 % intervals; bold and starred where it is more than chance.`;
  return html`<h2>Against ${first}</h2>
    ${table(caption, ['', ...others], rows)}`;
}

function ratesTable(engines: readonly EngineSummary[]): Markup {
  const rows = engines.flatMap(({ run, all, languages }): Filling[][] => {
    const row = (name: string, { characters, words, mixed }: typeof all): Filling[] => [
      ...[run.name, name, mixed.clips],
      ...[rateText(characters), rateText(words), rateText(mixed)],
    ];
    return [row('all', all), ...languages.map((group) => row(groupTitle(group.name), group.rates))];
  });
  const head = ['engine', 'language', 'clips', 'CER', 'WER', 'MER'];
  return html`<h2>Rates</h2>
    ${table('With 95 % bootstrap intervals over clips.', head, rows, 2)}`;
}

function methodSection({ script }: Summary, name: string): Markup {
  const folded = script === 'fold' ? 'folded into one' : 'kept apart';
  return html`<h2>What is counted</h2>
    <p>
      CER counts characters, WER words between spaces, MER (mixed) each Chinese character and each Latin word;
      charts show ${name}. Before counting, both texts are brought to one width, case and punctuation are
      dropped, numbers are left as they are, Simplified and Traditional characters are ${folded}, Cantonese
      characters are kept. Rates pool errors over all clips of a group. A clip that failed counts as read
      without text. Intervals come from drawing whole clips again; where there is no error at all they cannot
      say more than zero, though with n clips up to about 3/n of all such clips may still be read wrong.
      Levels are active speech levels (ITU-T P.56) of the speech alone.
    </p>`;
}

function clipsSection(summary: Summary, sounds: Sounds): Markup {
  const all = readingsByClip(summary);
  const scenes = inOrder(all.map(({ reading }) => reading.clip.scene));
  return html`<h2>Clips</h2>
    <p>
      <del>Struck out</del>: said, not read. <ins>Underlined</ins>: read, not said. Texts are shown as they
      are compared. Clips with the most errors come first.
    </p>
    <label><input type="checkbox" id="own-level" /> play at the level of the recording</label>
    ${scenes.map((scene) => {
      const cards = all
        .filter(({ reading }) => reading.clip.scene === scene)
        .sort((a, b) => b.errors - a.errors)
        .map((one) => clipCard(one, sounds));
      return html`<h3>${groupTitle(scene)}</h3>
        ${cards}`;
    })}`;
}

/** The first `labels` columns are words, the others numbers. */
function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly Filling[])[],
  labels: 1 | 2 = 1,
): Markup {
  return html`<div class="wide">
    <table class="${labels === 2 ? 'two-labels' : ''}">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
