// The report's numbers as CSV (RFC 4180): one file of rates, one of readings.
//
// Text that a spreadsheet would take for a formula gets an apostrophe in front.

import { METRIC_NAMES, METRICS } from '../scoring/choices.ts';
import { differenceRows } from './differences.ts';
import type { EngineSummary, Rates, Summary } from './summary.ts';

type Cell = string | number | undefined;

const RATE_COLUMNS = ['engine', 'group', 'name', 'metric', 'rate', 'low', 'high', 'clips', 'units'];

/** A row per engine, group and metric. `group` is all, scene, language or a series of levels. */
export function ratesCsv({ engines }: Summary): string {
  const rows = engines.flatMap((engine) => [
    ...rateRows(engine, 'all', '', engine.all),
    ...engine.scenes.flatMap(({ name, rates }) => rateRows(engine, 'scene', name, rates)),
    ...engine.languages.flatMap(({ name, rates }) => rateRows(engine, 'language', name, rates)),
    ...engine.points.flatMap(({ series, x, rates }) => rateRows(engine, `by ${series}`, x, rates)),
  ]);
  return csv([RATE_COLUMNS, ...rows]);
}

function rateRows({ run }: EngineSummary, group: string, name: Cell, rates: Rates): Cell[][] {
  return METRICS.map((metric) => {
    const { rate, low, high, clips, units } = rates[metric];
    return [run.name, group, name, METRIC_NAMES[metric], rate, low, high, clips, units];
  });
}

const ENGINE_COLUMNS = [
  ...['engine', 'model', 'device', 'streams', 'median_ms', 'p95_ms', 'first_text_ms', 'rtf'],
  ...['peak_memory_bytes', 'baseline_bytes', 'open_ms', 'false_characters', 'silent_clips', 'failed_clips'],
];

/** A row per engine: speed, memory, false text. */
export function enginesCsv({ engines }: Summary): string {
  return csv([
    ENGINE_COLUMNS,
    ...engines.map(({ run, medianMs, p95Ms, firstTextMs, rtf, falseText, failedClips }) => [
      ...[run.name, run.facts?.model, run.facts?.device, run.facts?.streams],
      ...[medianMs, p95Ms, firstTextMs, rtf, run.peakMemoryBytes, run.baselineBytes, run.openMs],
      ...[falseText.characters, falseText.clips, failedClips],
    ]),
  ]);
}

const CLIP_COLUMNS = [
  ...['engine', 'clip', 'language', 'scene', 'level_dbfs', 'seconds', 'latency_ms', 'first_text_ms'],
  ...['substitutions', 'deletions', 'insertions', 'units', 'said', 'read', 'failed'],
];

/** A row per engine and clip; errors in mixed units. */
export function clipsCsv({ engines }: Summary): string {
  const rows = engines.flatMap(({ run, readings }) =>
    readings.map(({ clip, result, score }) => {
      const { matches, substitutions, deletions, insertions } = score.counts.mixed;
      return [
        ...[run.name, clip.id, clip.language, clip.scene, clip.levelDbfs ?? result.activeDbfs],
        ...[result.seconds, result.latencyMs, result.firstTextMs],
        ...[substitutions, deletions, insertions, matches + substitutions + deletions],
        ...[clip.text, result.text, result.failed],
      ];
    }),
  );
  return csv([CLIP_COLUMNS, ...rows]);
}

const DIFFERENCE_COLUMNS = ['engine', 'against', 'group', 'metric', 'difference', 'low', 'high', 'clips'];

/** A row per engine but the first, group and metric. */
export function differencesCsv(summary: Summary): string {
  const [first, ...others] = summary.engines.map(({ run }) => run.name);
  const rows = METRICS.flatMap((metric) =>
    differenceRows(summary, metric).flatMap(({ group, differences }) =>
      differences.flatMap((one, i): Cell[][] =>
        one === undefined
          ? []
          : [[others[i], first, group, METRIC_NAMES[metric], one.rate, one.low, one.high, one.clips]],
      ),
    ),
  );
  return csv([DIFFERENCE_COLUMNS, ...rows]);
}

function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cellText).join(',')}\r\n`).join('');
}

function cellText(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return Number.isNaN(cell) ? '' : `${Math.round(cell * 1e5) / 1e5}`;
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
