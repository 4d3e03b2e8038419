// Results on disk → the report's files beside them.
//
//   report.html · engines.csv · rates.csv · differences.csv · clips.csv · alignments.txt

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsrError } from '../../errors.ts';
import type { Clip } from '../clips.ts';
import { readSamples } from '../read-audio.ts';
import type { ClipResult, EngineRun, ResultFolder } from '../results.ts';
import { SAMPLE_RATE } from '../../signal/units.ts';
import { errorsIn } from '../scoring/error-counts.ts';
import type { Metric, Script } from '../scoring/choices.ts';
import { showAlignment } from '../scoring/show-alignment.ts';
import { type Sounds, readingsByClip } from './clip-cards.ts';
import { clipsCsv, differencesCsv, enginesCsv, ratesCsv } from './csv.ts';
import { type EmbeddedAudio, embedAudio } from './embedded-audio.ts';
import { type ReportFacts, reportPage } from './page.ts';
import { type Summary, summarize } from './summary.ts';

export interface ReportRequest {
  readonly clips: readonly Clip[];
  /** Names of the engines, in the order of the report. */
  readonly engines: readonly string[];
  readonly results: ResultFolder;
  readonly script: Script;
  readonly metric: Metric;
  /** How much sound the page may hold, hardest clips first. */
  readonly audioSeconds: number;
  readonly facts: ReportFacts;
}

/** Writes the files into `out` and returns what they say. Fails with `output-unwritable`. */
export async function writeReport(request: ReportRequest, out: string): Promise<Summary> {
  const { clips, engines, results, script, metric, facts } = request;
  const runs = [];
  for (const name of engines) {
    const run = (await results.run(name)) ?? missingRun(name, facts.date);
    runs.push({ run, results: await readingsOf(name, clips, results) });
  }
  const summary = summarize(clips, runs, script);
  const sounds = await soundsOf(summary, request.audioSeconds);
  const files = {
    'report.html': reportPage(summary, metric, sounds, facts),
    'engines.csv': enginesCsv(summary),
    'rates.csv': ratesCsv(summary),
    'clips.csv': clipsCsv(summary),
    ...(engines.length > 1 && { 'differences.csv': differencesCsv(summary) }),
    'alignments.txt': alignments(summary),
  };
  for (const [name, content] of Object.entries(files)) await store(out, name, content);
  return summary;
}

function missingRun(name: string, endedAt: string): EngineRun {
  return { name, spec: { kind: 'sotto', name, settings: {} }, endedAt, failed: 'it has not run' };
}

async function readingsOf(
  engine: string,
  clips: readonly Clip[],
  results: ResultFolder,
): Promise<Map<string, ClipResult>> {
  const readings = new Map<string, ClipResult>();
  for (const { id } of clips) {
    const result = await results.clip(engine, id);
    if (result) readings.set(id, result);
  }
  return readings;
}

/** The first clip of every scene, then the hardest ones, as many as fit. */
async function soundsOf(summary: Summary, budgetSeconds: number): Promise<Sounds> {
  const all = readingsByClip(summary);
  const hardest = [...all].sort((a, b) => b.errors - a.errors);
  const scenes = [...new Set(all.map(({ reading }) => reading.clip.scene))];
  const firsts = scenes.flatMap((scene) => hardest.find(({ reading }) => reading.clip.scene === scene) ?? []);
  const sounds = new Map<string, EmbeddedAudio>();
  let seconds = 0;
  for (const { reading } of new Set([...firsts, ...hardest])) {
    if (seconds + reading.result.seconds > budgetSeconds) continue;
    const samples = await readSamples(reading.clip.path);
    seconds += samples.length / SAMPLE_RATE;
    sounds.set(reading.clip.id, embedAudio(samples));
  }
  return sounds;
}

/** Every reading with an error in it, unit under unit. */
export function alignments({ engines }: Summary): string {
  const wrong = engines.flatMap(({ run, readings }) =>
    readings
      .filter(({ score }) => errorsIn(score.counts.mixed) > 0)
      .map(({ clip, score }) => `${clip.id} · ${run.name}\n${showAlignment(score.steps)}\n`),
  );
  return wrong.length === 0 ? 'No errors.\n' : wrong.join('\n');
}

async function store(out: string, name: string, content: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, name), content);
  } catch (cause) {
    throw new AsrError('output-unwritable', `${join(out, name)} cannot be written`, { cause });
  }
}
