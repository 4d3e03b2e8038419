// sotto eval: engines × clips → error rates, speed and memory, as a table, CSV and a page of its own.

import { Command, InvalidArgumentError, Option } from 'commander';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Clip, readClips } from '../eval/clips.ts';
import { ENGINE_KINDS, type EngineSpec, parseEngineSpec } from '../eval/engines/engine-spec.ts';
import { openEvalEngine, weightsMark } from '../eval/engines/open-eval-engine.ts';
import { readSamples } from '../eval/read-audio.ts';
import { terminalReport } from '../eval/report/terminal.ts';
import { type ReportRequest, alignments, writeReport } from '../eval/report/write-report.ts';
import { ResultFolder } from '../eval/results.ts';
import { runEvaluation } from '../eval/run.ts';
import type { OwnSounds } from '../eval/scenes/render.ts';
import { makeSceneSet } from '../eval/scenes/scene-set.ts';
import { SCENE_GROUPS, type SceneGroup, scenesOf } from '../eval/scenes/scene.ts';
import { SCRIPTS, type Script } from '../eval/scoring/normalize.ts';
import { METRICS, type Metric } from '../eval/scoring/units.ts';
import type { DeviceChoice } from '../platform/node/open-engine.ts';
import { deviceOption, modelOption, sampleModelDir, threadsOption, wholeNumber } from './options.ts';
import { ProgressLine, bar } from './progress.ts';

interface Flags {
  readonly engine?: readonly EngineSpec[];
  readonly model?: string;
  readonly device: DeviceChoice;
  readonly threads?: number;
  readonly scenes?: readonly SceneGroup[];
  readonly only?: string;
  readonly perScene: number;
  readonly seed: string;
  readonly room?: string;
  readonly music?: string;
  readonly read: boolean;
  readonly metric: Metric;
  readonly script: Script;
  readonly audioSeconds: number;
  readonly show?: boolean;
  readonly out: string;
}

const DEFAULT_OUT = 'sotto-eval';
const DEFAULT_PER_SCENE = 6;
const DEFAULT_AUDIO_SECONDS = 180;

export function evalCommand(): Command {
  return new Command('eval')
    .description('Measure error rate, speed and memory of engines on recordings whose text is known.')
    .argument('<folder>', 'recordings with their texts: clip.wav and clip.txt, or a clips.json')
    .option('--engine <spec>', 'an engine, as below; may be given several times (default: sotto)', addEngine)
    .addOption(modelOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .option(
      '--scenes <groups>',
      `take the recordings as clean speech and make scenes of them: ${SCENE_GROUPS.join(', ')}`,
      sceneGroups,
    )
    .option('--only <scene>', 'only the recordings that their list puts into this scene')
    .addOption(perSceneOption())
    .option('--seed <text>', 'another seed makes other scenes', '1')
    .option('--room <file>', 'a measured impulse response in place of a computed room')
    .option('--music <file>', 'music in place of made music')
    .option('--no-read', 'make the scenes and stop')
    .addOption(metricOption())
    .addOption(scriptOption())
    .addOption(audioOption())
    .option('--show', 'print every wrong reading under what was said')
    .option(
      '--out <dir>',
      'where scenes, readings and the report go; what is there is not read again',
      DEFAULT_OUT,
    )
    .addHelpText('after', engineHelp())
    .action(evaluate);
}

function perSceneOption(): Option {
  return new Option('--per-scene <n>', 'clips per scene').argParser(wholeNumber).default(DEFAULT_PER_SCENE);
}

function metricOption(): Option {
  return new Option(
    '--metric <metric>',
    'rate in tables and charts: mixed counts Chinese characters and Latin words',
  )
    .choices(METRICS)
    .default('mixed' satisfies Metric);
}

function scriptOption(): Option {
  return new Option('--script <how>', 'Simplified and Traditional characters: one, or apart')
    .choices(SCRIPTS)
    .default('fold' satisfies Script);
}

function audioOption(): Option {
  return new Option('--audio-seconds <n>', 'how much sound the page may hold, hardest clips first')
    .argParser(Number)
    .default(DEFAULT_AUDIO_SECONDS);
}

function engineHelp(): string {
  const lines = Object.entries(ENGINE_KINDS).map(([kind, settings]) =>
    [`  ${kind}`, ...Object.entries(settings).map(([key, what]) => `      ${key.padEnd(12)} ${what}`)].join(
      '\n',
    ),
  );
  return `\nEngines: kind,setting=value,… with name=… to call it something else\n${lines.join('\n')}`;
}

function addEngine(line: string, before: readonly EngineSpec[] = []): EngineSpec[] {
  const spec = parseEngineSpec(line);
  if (before.some(({ name }) => name === spec.name)) {
    throw new InvalidArgumentError(`Two engines are called "${spec.name}"; give one a name=.`);
  }
  return [...before, spec];
}

function sceneGroups(text: string): SceneGroup[] {
  return text.split(',').map((name) => {
    const group = SCENE_GROUPS.find((one) => one === name.trim());
    if (group === undefined) throw new InvalidArgumentError(`There are ${SCENE_GROUPS.join(', ')}.`);
    return group;
  });
}

async function evaluate(folder: string, flags: Flags): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const line = new ProgressLine();
  try {
    const clips = await clipsFor(folder, flags, line, stop.signal);
    if (!flags.read) return;
    const specs = (flags.engine ?? [parseEngineSpec('sotto')]).map((spec) => withDefaults(spec, flags));
    const results = new ResultFolder(join(flags.out, 'results'));
    await readAll(clips, specs, results, line, stop.signal);
    line.show('writing the report');
    const summary = await writeReport(requestOf(clips, specs, results, flags, folder), flags.out);
    line.done();
    process.stdout.write(`${terminalReport(summary, flags.metric)}\n`);
    if (flags.show) process.stdout.write(`\n${alignments(summary)}`);
    process.stderr.write(`\nThe report is in ${join(flags.out, 'report.html')}.\n`);
  } finally {
    line.done();
  }
}

/** The folder's clips, or scenes made from them. */
async function clipsFor(
  folder: string,
  flags: Flags,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<Clip[]> {
  const { clips: all, skipped } = await readClips(folder);
  const clips = all.filter(({ scene }) => flags.only === undefined || scene === flags.only);
  if (skipped.length > 0) {
    process.stderr.write(`${skipped.length} recordings have no text beside them and are left out.\n`);
  }
  if (flags.scenes === undefined) return clips;
  const out = join(flags.out, 'scenes');
  const request = {
    clips,
    scenes: scenesOf(flags.scenes),
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

async function ownSounds({ room, music }: Flags, signal: AbortSignal): Promise<OwnSounds> {
  const read = async (path: string): Promise<Float64Array> =>
    Float64Array.from(await readSamples(path, signal));
  return {
    ...(room !== undefined && { roomResponse: await read(room) }),
    ...(music !== undefined && { music: await read(music) }),
  };
}

/** --model, --device and --threads are meant for our own engines that do not say it themselves. */
function withDefaults(spec: EngineSpec, { model, device, threads }: Flags): EngineSpec {
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
  const opener = { open: openEvalEngine, weightsMark };
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
  flags: Flags,
  folder: string,
): ReportRequest {
  return {
    clips,
    engines: specs.map(({ name }) => name),
    results,
    script: flags.script,
    metric: flags.metric,
    audioSeconds: flags.audioSeconds,
    facts: {
      command: `sotto ${process.argv.slice(2).map(quoted).join(' ')}`.trim() || `sotto eval ${folder}`,
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
