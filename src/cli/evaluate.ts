// The work of `sotto eval`: clips or scenes, read by every engine, into a report.

import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { AsrError } from '../errors.ts';
import { type Clip, readClips } from '../eval/clips.ts';
import { enginesOf } from '../eval/engines/comparisons.ts';
import { type EngineSpec, parseEngineSpec } from '../eval/engines/engine-spec.ts';
import { openEvalEngine, engineMark } from '../eval/engines/open-eval-engine.ts';
import { joinClips } from '../eval/joined-clips.ts';
import { readSamples } from '../eval/read-audio.ts';
import { terminalReport } from '../eval/report/terminal.ts';
import { type ReportRequest, alignments, writeReport } from '../eval/report/write-report.ts';
import { ResultFolder } from '../eval/results.ts';
import { runEvaluation } from '../eval/run.ts';
import type { OwnSounds } from '../eval/scenes/render.ts';
import { makeSceneSet } from '../eval/scenes/scene-set.ts';
import type { EvalFlags } from './eval.ts';
import { sampleModelDir } from './options.ts';
import { ProgressLine, bar } from './progress.ts';

/** Runs until all is read and reported. What is finished when it is stopped is kept. */
export async function evaluate(folder: string, flags: EvalFlags): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const line = new ProgressLine();
  try {
    const clips = await clipsFor(folder, flags, line, stop.signal);
    if (!flags.read) return;
    const specs = specsOf(flags).map((spec) => withDefaults(spec, flags));
    const results = new ResultFolder(join(flags.out, 'results'));
    await readAll(clips, specs, results, line, stop.signal);
    line.show('writing the report');
    const summary = await writeReport(requestOf(clips, specs, results, flags), flags.out);
    line.done();
    process.stdout.write(`${terminalReport(summary, flags.metric)}\n`);
    if (flags.show) process.stdout.write(`\n${alignments(summary)}`);
    process.stderr.write(`\nThe report is in ${join(flags.out, 'report.html')}.\n`);
  } finally {
    line.done();
  }
}

/** The folder's clips, joined if asked for, or scenes made from them. */
async function clipsFor(
  folder: string,
  flags: EvalFlags,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<Clip[]> {
  const { clips: all, skipped } = await readClips(folder);
  if (skipped.length > 0) {
    process.stderr.write(`${skipped.length} recordings have no text beside them and are left out.\n`);
  }
  const wanted = all.filter(({ scene }) => flags.only === undefined || scene === flags.only);
  const clips =
    flags.join === undefined
      ? wanted
      : await joinClips(wanted, flags.join, join(flags.out, 'joined'), signal);
  if (clips.length === 0) {
    throw new AsrError('clips-not-found', `no recording in ${folder} is left to read`);
  }
  if (flags.scenes === undefined) return clips;
  const out = join(flags.out, 'scenes');
  const request = {
    clips,
    scenes: flags.scenes,
    perScene: flags.perScene,
    seed: flags.seed,
    own: await ownSounds(flags, signal),
  };
  for await (const { done, total } of makeSceneSet(request, out, signal)) {
    line.show(`scenes ${bar(done / total)} ${done} of ${total}`);
  }
  line.done();
  process.stderr.write(`Scenes: ${out}\n`);
  return (await readClips(out)).clips;
}

async function ownSounds({ room, music }: EvalFlags, signal: AbortSignal): Promise<OwnSounds> {
  const read = async (path: string): Promise<Float64Array> =>
    Float64Array.from(await readSamples(path, signal));
  return {
    ...(room !== undefined && { roomResponse: await read(room) }),
    ...(music !== undefined && { music: await read(music) }),
  };
}

function specsOf({ engine, compare }: EvalFlags): readonly EngineSpec[] {
  return compare === undefined ? (engine ?? [parseEngineSpec('sotto')]) : enginesOf(compare);
}

/** --model, --device and --threads are meant for our own engines that do not say it themselves. */
function withDefaults(spec: EngineSpec, { model, device, threads }: EvalFlags): EngineSpec {
  if (spec.kind !== 'sotto') return spec;
  const defaults = {
    model: model ?? sampleModelDir(),
    device,
    ...(threads !== undefined && { threads: String(threads) }),
  };
  return { ...spec, settings: { ...defaults, ...spec.settings } };
}

async function readAll(
  clips: readonly Clip[],
  specs: readonly EngineSpec[],
  results: ResultFolder,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<void> {
  const opener = { open: openEvalEngine, engineMark };
  for await (const event of runEvaluation(clips, specs, opener, results, signal)) {
    switch (event.type) {
      case 'engine':
      case 'clip': {
        const { name, finished, total } = event;
        line.show(`${name} ${bar(finished / total)} ${finished} of ${total} clips`);
        break;
      }
      case 'failed':
        line.done();
        process.stderr.write(`${[event.name, event.clip, event.why].filter(Boolean).join(': ')}\n`);
    }
  }
}

function requestOf(
  clips: readonly Clip[],
  specs: readonly EngineSpec[],
  results: ResultFolder,
  flags: EvalFlags,
): ReportRequest {
  return {
    clips,
    engines: specs.map(({ name }) => name),
    results,
    script: flags.script,
    metric: flags.metric,
    audioSeconds: flags.audioSeconds,
    facts: {
      command: `sotto ${process.argv.slice(2).map(quoted).join(' ')}`,
      machine: machine(),
      date: new Date().toISOString().slice(0, 10),
    },
  };
}

function quoted(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function machine(): string {
  const cores = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown processor'}, ${gigabytes} GB, Node ${process.versions.node}`;
}
