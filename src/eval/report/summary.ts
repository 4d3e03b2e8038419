// Results → the numbers of the report: per engine, and within it per scene, language and level.

import type { Clip } from '../clips.ts';
import type { ClipResult, EngineRun } from '../results.ts';
import { SCENES } from '../scenes/scene.ts';
import { type MeasuredRate, measureRate } from '../scoring/bootstrap.ts';
import { type Metric, METRICS, type Script } from '../scoring/choices.ts';
import { type ClipScore, scoreClip } from '../scoring/score.ts';
import { type Point, isSeries, pointOf } from './series.ts';
import { median, percentile } from './statistics.ts';

/** One clip with its reading and score. */
export interface Reading {
  readonly clip: Clip;
  readonly result: ClipResult;
  readonly score: ClipScore;
}

export type Rates = Readonly<Record<Metric, MeasuredRate>>;

export interface Group {
  readonly name: string;
  readonly rates: Rates;
}

export interface PointGroup extends Point {
  readonly rates: Rates;
}

export interface EngineSummary {
  readonly run: EngineRun;
  readonly readings: readonly Reading[];
  /** Of clips in which somebody speaks. */
  readonly all: Rates;
  /** Scenes that are not points of a series. */
  readonly scenes: readonly Group[];
  readonly languages: readonly Group[];
  /** Level sweeps and the like. */
  readonly points: readonly PointGroup[];
  /** What was written where nobody spoke. */
  readonly falseText: FalseText;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly firstTextMs: number;
  /** Seconds of work per second of audio. */
  readonly rtf: number;
  readonly failedClips: number;
  /** Clips that were not read at all. */
  readonly missingClips: number;
}

export interface FalseText {
  readonly clips: number;
  readonly seconds: number;
  readonly clipsWithText: number;
  readonly characters: number;
}

export interface Summary {
  readonly engines: readonly EngineSummary[];
  readonly clips: readonly Clip[];
  readonly script: Script;
}

/** Fixes what the bootstrap draws. */
const SEED = 'report';

export function summarize(
  clips: readonly Clip[],
  runs: readonly { readonly run: EngineRun; readonly results: ReadonlyMap<string, ClipResult> }[],
  script: Script,
): Summary {
  return {
    clips,
    script,
    engines: runs.map(({ run, results }) => summarizeEngine(clips, run, results, script)),
  };
}

function summarizeEngine(
  clips: readonly Clip[],
  run: EngineRun,
  results: ReadonlyMap<string, ClipResult>,
  script: Script,
): EngineSummary {
  const readings = clips.flatMap((clip): Reading[] => {
    const result = results.get(clip.id);
    return result ? [{ clip, result, score: scoreClip(clip.text, result.text, script) }] : [];
  });
  const spoken = readings.filter(({ clip }) => clip.text !== '');
  const answered = readings.filter(({ result }) => result.failed === undefined).map(({ result }) => result);
  const latencies = answered.map(({ latencyMs }) => latencyMs);
  const seconds = answered.reduce((sum, result) => sum + result.seconds, 0);
  return {
    run,
    readings,
    all: ratesOf(spoken),
    scenes: groupBy(
      spoken.filter(({ clip }) => !isSeries(clip.scene)),
      ({ clip }) => clip.scene,
    ),
    languages: groupBy(spoken, ({ clip }) => clip.language),
    points: pointsOf(spoken),
    falseText: falseTextOf(readings.filter(({ clip }) => clip.text === '')),
    medianMs: median(latencies),
    p95Ms: percentile(latencies, 0.95),
    firstTextMs: median(answered.flatMap(({ firstTextMs }) => firstTextMs ?? [])),
    rtf: latencies.reduce((sum, ms) => sum + ms, 0) / 1000 / (seconds || NaN),
    failedClips: readings.length - answered.length,
    missingClips: clips.length - readings.length,
  };
}

function ratesOf(readings: readonly Reading[]): Rates {
  const of = (metric: Metric): MeasuredRate =>
    measureRate(
      readings.map(({ score }) => score.counts[metric]),
      SEED,
    );
  return Object.fromEntries(METRICS.map((metric) => [metric, of(metric)])) as unknown as Rates;
}

function groupBy(readings: readonly Reading[], nameOf: (reading: Reading) => string): Group[] {
  const names = [...new Set(readings.map(nameOf))].sort(
    (a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1),
  );
  return names.map((name) => ({
    name,
    rates: ratesOf(readings.filter((reading) => nameOf(reading) === name)),
  }));
}

/** Scenes and languages in the order in which people know them, others behind. */
const ORDER = [...SCENES.map(({ name }) => name), 'zh', 'yue', 'en'];

/** Every name once. */
export function inOrder(names: readonly string[]): string[] {
  return [...new Set(names)].sort((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1));
}

function placeOf(name: string): number {
  const place = ORDER.indexOf(name);
  return place < 0 ? ORDER.length : place;
}

function pointsOf(readings: readonly Reading[]): PointGroup[] {
  const placed = readings.flatMap((reading) => {
    const point = pointOf(reading.clip, reading.result);
    return point ? [{ reading, point }] : [];
  });
  const labels = [...new Set(placed.map(({ point }) => `${point.series} ${point.x}`))];
  return labels
    .flatMap((label) => {
      const here = placed.filter(({ point }) => `${point.series} ${point.x}` === label);
      const first = here[0];
      return first ? [{ ...first.point, rates: ratesOf(here.map(({ reading }) => reading)) }] : [];
    })
    .sort((a, b) => a.x - b.x);
}

function falseTextOf(readings: readonly Reading[]): FalseText {
  const written = readings.map(({ score }) => [...score.hypothesis].length);
  return {
    clips: readings.length,
    seconds: readings.reduce((sum, { result }) => sum + result.seconds, 0),
    clipsWithText: written.filter((characters) => characters > 0).length,
    characters: written.reduce((sum, characters) => sum + characters, 0),
  };
}
