// The report in the terminal: one table of engines, one of scenes and languages.

import { METRIC_NAMES, type Metric } from '../scoring/choices.ts';
import { differenceRows } from './differences.ts';
import {
  differenceText,
  duration,
  factor,
  falseTextText,
  groupTitle,
  limitsOf,
  megabytes,
  percent,
  rateText,
} from './figures.ts';
import type { EngineSummary, Group, Summary } from './summary.ts';

/** Lines without a trailing newline at the end. `metric` is the rate that is shown. */
export function terminalReport(summary: Summary, metric: Metric): string {
  const { engines } = summary;
  const parts = [
    table(
      ['engine', METRIC_NAMES[metric], 'median', '95th', 'RTF', 'peak memory', 'streams', 'false text'],
      engines.map((engine) => engineRow(engine, metric)),
    ),
    groupTable('scene', engines, metric, ({ scenes }) => scenes),
    groupTable('series', engines, metric, ({ points }) =>
      points.map(({ series, x, rates }) => ({ name: `${series} ${x} dBFS`.replace('-', '−'), rates })),
    ),
    groupTable('language', engines, metric, ({ languages }) => languages),
    differenceTable(summary, metric),
    ...engines.filter((engine) => limitsOf(engine).length > 0).map(limitsText),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function engineRow(engine: EngineSummary, metric: Metric): string[] {
  const { run, all, medianMs, p95Ms, rtf, falseText } = engine;
  return [
    run.name,
    rateText(all[metric]),
    duration(medianMs),
    duration(p95Ms),
    factor(rtf),
    megabytes(run.peakMemoryBytes),
    run.facts?.streams ?? '–',
    falseTextText(falseText),
  ];
}

function groupTable(
  title: string,
  engines: readonly EngineSummary[],
  metric: Metric,
  groupsOf: (engine: EngineSummary) => readonly Group[],
): string {
  const names = [...new Set(engines.flatMap((engine) => groupsOf(engine).map(({ name }) => name)))];
  if (names.length === 0) return '';
  const rows = names.map((name) => {
    const groups = engines.map((engine) => groupsOf(engine).find((group) => group.name === name));
    const clips = Math.max(...groups.map((group) => group?.rates[metric].clips ?? 0));
    return [
      groupTitle(name),
      `${clips}`,
      ...groups.map((group) => percent(group?.rates[metric].rate ?? NaN)),
    ];
  });
  return table([title, 'clips', ...engines.map(({ run }) => run.name)], rows);
}

/** Points of a percent against the first engine. */
function differenceTable(summary: Summary, metric: Metric): string {
  const rows = differenceRows(summary, metric).map(({ group, differences }) => [
    groupTitle(group),
    ...differences.map(differenceText),
  ]);
  const [first, ...others] = summary.engines.map(({ run }) => run.name);
  return rows.length === 0 ? '' : table([`${METRIC_NAMES[metric]} against ${first ?? ''}`, ...others], rows);
}

function limitsText(engine: EngineSummary): string {
  return `${engine.run.name}: ${limitsOf(engine).join('; ')}.`;
}

/** Columns side by side, the first to the left, numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => columnsOf(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const gap = ' '.repeat((widths[column] ?? 0) - columnsOf(cell));
        return column === 0 ? cell + gap : gap + cell;
      })
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n');
}

/** East Asian characters take two columns. */
function columnsOf(text: string): number {
  return [...text].reduce(
    (sum, character) => sum + (/[\u1100-\u115f\u2e80-\uffdc]/.test(character) ? 2 : 1),
    0,
  );
}
