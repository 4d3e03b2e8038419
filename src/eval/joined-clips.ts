// Several recordings one after the other, as one: what people record, as against what test sets hold.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsrError } from '../errors.ts';
import { SAMPLE_RATE } from '../signal/units.ts';
import { joinText } from '../text/join.ts';
import type { Clip } from './clips.ts';
import { readSamples } from './read-audio.ts';
import { to16Bit, wavBytes } from './wav-bytes.ts';

/** Between two recordings. */
const PAUSE_SECONDS = 1;

/**
 * Joins every `count` recordings of a language and a scene, in their order; what is left over is left out. The
 * files lie in `out`. Fails with `output-unwritable`.
 */
export async function joinClips(
  clips: readonly Clip[],
  count: number,
  out: string,
  signal: AbortSignal,
): Promise<Clip[]> {
  const joined: Clip[] = [];
  for (const group of groupsOf(clips, count)) {
    const id = `${group[0]?.id ?? ''}+${count - 1}`;
    const path = join(out, `${id}.wav`);
    const sounds: Float32Array[] = [];
    for (const clip of group) sounds.push(await readSamples(clip.path, signal));
    await store(out, path, wavBytes(to16Bit(withPauses(sounds)), SAMPLE_RATE));
    joined.push({ ...group[0], id, path, text: joinText(group.map(({ text }) => text)) } as Clip);
  }
  return joined;
}

function groupsOf(clips: readonly Clip[], count: number): Clip[][] {
  const spoken = clips.filter(({ text }) => text !== '');
  const kinds = new Map<string, Clip[]>();
  for (const clip of spoken) {
    const kind = `${clip.language} ${clip.scene}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), clip]);
  }
  return [...kinds.values()].flatMap((same) =>
    Array.from({ length: Math.floor(same.length / count) }, (_, i) => same.slice(i * count, (i + 1) * count)),
  );
}

function withPauses(sounds: readonly Float32Array[]): Float32Array {
  const pause = PAUSE_SECONDS * SAMPLE_RATE;
  const length = sounds.reduce((sum, sound) => sum + sound.length, pause * (sounds.length - 1));
  const whole = new Float32Array(length);
  let at = 0;
  for (const sound of sounds) {
    whole.set(sound, at);
    at += sound.length + pause;
  }
  return whole;
}

async function store(folder: string, path: string, content: Uint8Array): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(path, content);
  } catch (cause) {
    throw new AsrError('output-unwritable', `${path} cannot be written`, { cause });
  }
}
