// Clips with what is said in them: a folder of recordings, a text file of the same name beside each, and,
// where there is one, a list (clips.json or manifest.json) that knows more.

import type { Dirent } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { AsrError } from '../errors.ts';
import { Fields } from '../fields.ts';
import { guessLanguage, languageNamed, languageOfPath } from './language.ts';

export interface Clip {
  /** Unique in its folder and fit for a file name: 'zh/a.wav' → 'zh-a'. */
  readonly id: string;
  readonly path: string;
  /** What is said; empty where nobody speaks. */
  readonly text: string;
  readonly language: string;
  readonly whispered: boolean;
  /** The scene it was rendered in, or what its list calls it; `recorded` where nothing is known. */
  readonly scene: string;
  /** Active speech level, where the list says it. */
  readonly levelDbfs?: number;
}

export const RECORDED = 'recorded';

const AUDIO = new Set(
  'wav wave aif aiff aifc mp3 flac ogg oga opus m4a mp4 aac webm mka mkv mov'
    .split(' ')
    .map((ending) => `.${ending}`),
);
const LISTS = ['clips.json', 'manifest.json'];

/**
 * Reads a folder, by its list if it has one, else all that lies in it, subfolders too. Sorted by id.
 * Recordings without a text come back as `skipped`. Fails with `clips-not-found` where no clip is left.
 */
export async function readClips(folder: string): Promise<{ clips: Clip[]; skipped: string[] }> {
  const listed = await readList(folder);
  const found = listed ? { clips: listed, skipped: [] } : await walk(folder);
  if (found.clips.length === 0) {
    throw new AsrError('clips-not-found', `${folder} holds no recording with a text beside it`);
  }
  return { ...found, clips: uniquely(found.clips).sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

async function readList(folder: string): Promise<Clip[] | undefined> {
  for (const name of LISTS) {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8').catch(() => undefined); // no list: the folder is walked
    if (text === undefined) continue;
    const json = parse(text, path);
    const list = Array.isArray(json) ? { clips: json } : json;
    const fields = new Fields(list, path, 'clips-not-found');
    // A model's manifest or the like, not a list of clips.
    if (fields.has('clips')) return fields.objects('clips').map((entry) => listedClip(folder, entry));
  }
  return undefined;
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new AsrError('clips-not-found', `${path} is not JSON`, { cause });
  }
}

function listedClip(folder: string, entry: Fields): Clip {
  const file = entry.string('file');
  const text = entry.string('text');
  const scene = entry.string('scene', RECORDED);
  const language = entry.string('language', languageOfPath(file) ?? guessLanguage(text));
  const whispered = entry.boolean('whispered', /whisper/i.test(`${scene} ${entry.string('voice', '')}`));
  const levelDbfs = entry.optionalNumber('levelDbfs');
  return {
    id: idOf(file),
    path: join(folder, file),
    text,
    language: languageNamed(language) ?? language,
    whispered,
    scene,
    ...(levelDbfs !== undefined && { levelDbfs }),
  };
}

async function walk(folder: string): Promise<{ clips: Clip[]; skipped: string[] }> {
  const clips: Clip[] = [];
  const skipped: string[] = [];
  for (const path of await recordingsIn(folder)) {
    const file = relative(folder, path);
    const text = await readFile(path.slice(0, -extname(path).length) + '.txt', 'utf8').catch(() => undefined);
    if (text === undefined)
      skipped.push(file); // nothing to compare with
    else clips.push(walkedClip(folder, file, text));
  }
  return { clips, skipped };
}

async function recordingsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (cause: unknown): Dirent[] => {
      throw new AsrError('clips-not-found', `the folder ${folder} cannot be read`, { cause });
    },
  );
  return entries
    .filter((entry) => entry.isFile() && AUDIO.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function walkedClip(folder: string, file: string, raw: string): Clip {
  const text = raw
    .replace(/^\uFEFF/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return {
    id: idOf(file),
    path: join(folder, file),
    text,
    language: languageOfPath(join(folder, file)) ?? guessLanguage(text),
    whispered: /whisper/i.test(file),
    scene: RECORDED,
  };
}

function idOf(file: string): string {
  const stem = file.slice(0, file.length - extname(file).length);
  return stem
    .split(sep)
    .join('-')
    .replace(/[^\p{L}\p{N}._-]+/gu, '_');
}

/** Two recordings of one name (talk.mp3, talk.wav) are told apart. */
function uniquely(clips: readonly Clip[]): Clip[] {
  const seen = new Map<string, number>();
  return clips.map((clip) => {
    const times = (seen.get(clip.id) ?? 0) + 1;
    seen.set(clip.id, times);
    return times === 1 ? clip : { ...clip, id: `${clip.id}~${times}` };
  });
}
