// Clean clips → a folder of rendered recordings and clips.json, which says of each what it was made from and
// how. The same clips, settings and seed give the same bytes.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AsrError } from '../../errors.ts';
import { SAMPLE_RATE } from '../../signal/units.ts';
import type { Clip } from '../clips.ts';
import { readSamples } from '../read-audio.ts';
import { SeededRandom } from '../seeded-random.ts';
import { wavBytes } from '../wav-bytes.ts';
import { speechLevel } from './active-level.ts';
import { type OwnSounds, type Rendering, renderScene } from './render.ts';
import { SCENES, type Scene } from './scene.ts';

export interface SceneSetRequest {
  readonly clips: readonly Clip[];
  readonly scenes: readonly Scene[];
  readonly perScene: number;
  readonly seed: string;
  readonly own?: OwnSounds;
}

/** What clips.json says of a rendered clip. */
export interface SceneClipEntry {
  readonly file: string;
  readonly text: string;
  readonly language: string;
  readonly scene: string;
  readonly levelDbfs: number;
  readonly whispered: boolean;
  readonly seconds: number;
  readonly sha256: string;
  readonly source: {
    readonly file: string;
    readonly sha256: string;
    readonly activeDbfs: number;
    readonly whispered: boolean;
  };
  readonly seed: string;
  readonly settings: Scene;
  readonly rendered: Omit<Rendering, 'samples' | 'speech'>;
}

/**
 * Renders the set into `out`; the list goes in last. A set that is there already is left as it is. Yields after
 * each clip how many are done.
 * Fails as reading a clip does, and with `output-unwritable`.
 */
export async function* makeSceneSet(
  request: SceneSetRequest,
  out: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly done: number; readonly total: number }, void> {
  const plan = planSet(request);
  const mark = await markOf(request, plan);
  if ((await madeBefore(out)) === mark) return yield { done: plan.length, total: plan.length };
  const entries: SceneClipEntry[] = [];
  for (const [i, { clip, scene }] of plan.entries()) {
    signal.throwIfAborted();
    const file = `${scene.name}/${clip.id}.wav`;
    // Each clip's chance is its own: a larger set holds the same recordings, and more.
    const seed = `${request.seed}/${scene.name}/${clip.id}`;
    const source = await readFile(clip.path);
    const samples = await readSamples(clip.path, signal);
    const rendering = renderScene({ samples, whispered: clip.whispered }, scene, seed, request.own);
    const bytes = wavBytes(rendering.samples, SAMPLE_RATE);
    await store(join(out, scene.name), `${clip.id}.wav`, bytes);
    entries.push(entryOf({ clip, scene, file, seed, bytes, samples, source, rendering }));
    yield { done: i + 1, total: plan.length };
  }
  const list = { seed: request.seed, perScene: request.perScene, mark, clips: entries };
  await store(out, 'clips.json', `${JSON.stringify(list, null, 1)}\n`);
}

/** What the set depends on: sources, their texts, scenes, seed, sounds of the user. */
async function markOf(request: SceneSetRequest, plan: readonly PlannedClip[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([request.seed, request.perScene, request.scenes]));
  for (const sound of [request.own?.roomResponse, request.own?.music]) hash.update(sound ?? 'none');
  const clips = new Set(plan.map(({ clip }) => clip));
  for (const clip of clips) {
    hash.update(JSON.stringify([clip.id, clip.text, clip.language, clip.whispered]));
    hash.update(await readFile(clip.path));
  }
  return hash.digest('hex');
}

async function madeBefore(out: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(join(out, 'clips.json'), 'utf8')) as { mark?: unknown }).mark;
  } catch {
    return undefined; // nothing is there, or nothing of ours
  }
}

interface PlannedClip {
  readonly clip: Clip;
  readonly scene: Scene;
}

/** Which clip goes into which scene. */
export function planSet(request: SceneSetRequest): PlannedClip[] {
  const spoken = request.clips.filter(({ text }) => text !== '');
  return request.scenes.flatMap((scene) => {
    // The five scenes take different clips as far as there are enough; a sweep takes the same at every step.
    const skip = scene.group === 'five' ? SCENES.indexOf(scene) * request.perScene : 0;
    const order = inTurn(fitting(spoken, scene), request.seed);
    const count = Math.min(request.perScene, order.length);
    return Array.from({ length: count }, (_, i) => order[(skip + i) % order.length])
      .filter((clip) => clip !== undefined)
      .map((clip) => ({ clip, scene }));
  });
}

/** Real whispers go into the whisper scene, and only there, in every language that has them. */
function fitting(clips: readonly Clip[], scene: Scene): Clip[] {
  const wanted = scene.voice === 'whispered';
  const languages = [...new Set(clips.map(({ language }) => language))];
  return languages.flatMap((language) => {
    const all = clips.filter((clip) => clip.language === language);
    const fit = all.filter((clip) => clip.whispered === wanted);
    return fit.length > 0 ? fit : all;
  });
}

/** Languages in turn, so that a small set has some of each; within one, in an order drawn from the seed. */
function inTurn(clips: readonly Clip[], seed: string): Clip[] {
  const languages = [...new Set(clips.map(({ language }) => language))].sort();
  const queues = languages.map((language) =>
    new SeededRandom(`${seed}/${language}`).shuffled(clips.filter((clip) => clip.language === language)),
  );
  const longest = Math.max(0, ...queues.map((queue) => queue.length));
  return Array.from({ length: longest }, (_, i) => queues.map((queue) => queue[i]))
    .flat()
    .filter((clip) => clip !== undefined);
}

interface Made {
  readonly clip: Clip;
  readonly scene: Scene;
  readonly file: string;
  readonly seed: string;
  readonly bytes: Uint8Array;
  readonly samples: Float32Array;
  readonly source: Uint8Array;
  readonly rendering: Rendering;
}

function entryOf({ clip, scene, file, seed, bytes, samples, source, rendering }: Made): SceneClipEntry {
  const { voice, room, activeDbfs, rmsDbfs, peakDbfs, clippedSamples } = rendering;
  return {
    file,
    text: clip.text,
    language: clip.language,
    scene: scene.name,
    levelDbfs: scene.levelDbfs,
    whispered: voice !== 'as recorded',
    seconds: rendering.samples.length / SAMPLE_RATE,
    sha256: sha256(bytes),
    source: {
      file: basename(clip.path),
      sha256: sha256(source),
      activeDbfs: rounded(speechLevel(samples, SAMPLE_RATE).activeDbfs),
      whispered: clip.whispered,
    },
    seed,
    settings: scene,
    rendered: {
      voice,
      ...(room && { room }),
      activeDbfs: rounded(activeDbfs),
      rmsDbfs: rounded(rmsDbfs),
      peakDbfs: rounded(peakDbfs),
      clippedSamples,
    },
  };
}

function rounded(decibels: number): number {
  return Math.round(decibels * 100) / 100;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Whole or not there at all. */
async function store(folder: string, name: string, content: Uint8Array | string): Promise<void> {
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(`${path}.part`, content);
    await rename(`${path}.part`, path);
  } catch (cause) {
    throw new AsrError('output-unwritable', `${path} cannot be written`, { cause });
  }
}
