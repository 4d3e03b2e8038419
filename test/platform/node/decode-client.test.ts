import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Decoders } from '../../../src/platform/node/decode-client.ts';
import { openAudioFile } from '../../../src/platform/node/decode-file.ts';
import type { AudioBlock } from '../../../src/signal/units.ts';

const SOUNDS = resolve(import.meta.dirname, '../../fixtures/sounds');
const CLIP = resolve(import.meta.dirname, '../../../public/clips/en_thank-you.wav');
const NEVER = new AbortController().signal;

let folder: string;
let decoders: Decoders;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-decode-'));
  decoders = new Decoders({ threads: 1, patienceMs: 2_000 });
});
afterAll(async () => {
  await decoders.close();
  await rm(folder, { recursive: true });
});

async function soundOf(blocks: AsyncIterable<AudioBlock>): Promise<number[]> {
  const samples: number[] = [];
  for await (const block of blocks) {
    expect(block.startSample).toBe(samples.length);
    samples.push(...block.samples);
  }
  return samples;
}

test('the sound is the same as without a thread, for many recordings at once', async () => {
  const paths = [CLIP, join(SOUNDS, 'stereo24.flac'), join(SOUNDS, 'vorbis.ogg'), join(SOUNDS, 'stereo.mp3')];
  const all = await Promise.all(paths.map((path) => soundOf(decoders.blocks(path, NEVER))));
  for (const [i, path] of paths.entries()) {
    expect(all[i]).toEqual(await soundOf((await openAudioFile(path)).blocks()));
  }
});

test('what is wrong with a file is told by its code', async () => {
  await expect(soundOf(decoders.blocks(join(folder, 'nobody.wav'), NEVER))).rejects.toMatchObject({
    code: 'audio-not-found',
  });
  await expect(soundOf(decoders.blocks(import.meta.filename, NEVER))).rejects.toMatchObject({
    code: 'audio-unsupported',
  });
});

test('who leaves ends the walk', async () => {
  const stop = new AbortController();
  const walk = decoders.blocks(CLIP, stop.signal);
  await walk.next();
  stop.abort();
  await expect(walk.next()).rejects.toThrow();
});

test('a recording that never comes is given up alone; another one of that thread goes on where it was', async () => {
  // A pipe that nobody writes into: reading it does not come to an end.
  const endless = join(folder, 'endless.wav');
  execFileSync('mkfifo', [endless]);
  const walk = decoders.blocks(CLIP, NEVER);
  const first = await walk.next();
  const given = expect(soundOf(decoders.blocks(endless, NEVER))).rejects.toMatchObject({
    code: 'audio-malformed',
  });
  const samples = [...(first.value?.samples ?? [])];
  for await (const block of walk) {
    expect(block.startSample).toBe(samples.length);
    samples.push(...block.samples);
  }
  await given;
  expect(samples).toEqual(await soundOf((await openAudioFile(CLIP)).blocks()));
});
