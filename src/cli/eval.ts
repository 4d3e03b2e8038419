// sotto eval: what is asked of the yardstick. The work, and all that it loads, is in evaluate.ts.

import { Command, InvalidArgumentError, Option } from 'commander';
import { COMPARISONS, type Comparison } from '../eval/engines/comparisons.ts';
import { ENGINE_KINDS, type EngineSpec, parseEngineSpec } from '../eval/engines/engine-spec.ts';
import { SCENES, SCENE_GROUPS, type Scene, scenesOf } from '../eval/scenes/scene.ts';
import { METRICS, type Metric, SCRIPTS, type Script } from '../eval/scoring/choices.ts';
import type { DeviceChoice } from '../platform/node/open-engine.ts';
import { deviceOption, modelOption, threadsOption, wholeNumber } from './options.ts';

export interface EvalFlags {
  readonly engine?: readonly EngineSpec[];
  readonly compare?: Comparison;
  readonly model?: string;
  readonly device: DeviceChoice;
  readonly threads?: number;
  readonly scenes?: readonly Scene[];
  readonly only?: string;
  readonly join?: number;
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
    .addOption(compareOption())
    .addOption(modelOption())
    .addOption(deviceOption())
    .addOption(threadsOption())
    .option('--scenes <names>', 'take the recordings as clean speech and make scenes of them', addScenes)
    .option('--only <scene>', 'only the recordings that their list puts into this scene')
    .option('--join <n>', 'every n recordings of a language as one, a second apart', wholeNumber)
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
    .addHelpText('after', `${scenesHelp()}\n${engineHelp()}`)
    .action(async (folder: string, flags: EvalFlags) => {
      await (await import('./evaluate.ts')).evaluate(folder, flags);
    });
}

function compareOption(): Option {
  return new Option('--compare <what>', 'our own engine with parts of it left out or replaced')
    .choices(COMPARISONS)
    .conflicts('engine');
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
    .argParser(seconds)
    .default(DEFAULT_AUDIO_SECONDS);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('It should be a number from 0 up.');
  return value;
}

function scenesHelp(): string {
  const lines = SCENE_GROUPS.map(
    (group) => `  ${group.padEnd(8)} ${(scenesOf(group) ?? []).map(({ name }) => name).join(' ')}`,
  );
  return `\nScenes: names or groups of them, as in --scenes five,level-45\n${lines.join('\n')}`;
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

/** In the order of SCENES, each once. */
function addScenes(text: string, before: readonly Scene[] = []): Scene[] {
  const asked = text.split(',').flatMap((name) => {
    const scenes = scenesOf(name.trim());
    if (scenes === undefined) throw new InvalidArgumentError('See --help for their names.');
    return scenes;
  });
  return SCENES.filter((scene) => before.includes(scene) || asked.includes(scene));
}
