// Writes test/fixtures/sounds: the test sound in every format, by ffmpeg.
//
//   npx tsx scripts/make-sound-clips.ts

import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CLIPS, REFUSED_CLIPS } from '../test/fixtures/clips.ts';
import { CLIP_SECONDS, testSamples } from '../test/fixtures/test-sound.ts';

const FOLDER = resolve(import.meta.dirname, '../test/fixtures/sounds');

interface Wanted {
  readonly file: string;
  readonly encode: readonly string[];
  readonly video?: boolean;
  readonly sampleRate?: number;
  readonly channels?: number;
}

function make({ file, encode, video, sampleRate = 8000, channels = 1 }: Wanted): void {
  const raw = join(tmpdir(), `sotto-test-sound-${process.pid}.f32`);
  // Both channels say the same, the right one more softly.
  const samples = testSamples(sampleRate, CLIP_SECONDS * sampleRate);
  writeFileSync(
    raw,
    Float32Array.from({ length: samples.length * channels }, (_, i) => {
      const level = i % channels === 0 ? 1 : 0.7;
      return level * (samples[Math.floor(i / channels)] ?? 0);
    }),
  );
  const sound = ['-f', 'f32le', '-ar', String(sampleRate), '-ac', String(channels), '-i', raw];
  const picture = video ? ['-f', 'lavfi', '-i', `color=c=black:s=16x16:r=5:d=${CLIP_SECONDS}`] : [];
  const quietly = ['-v', 'error', '-y', '-bitexact', '-map_metadata', '-1', '-fflags', '+bitexact'];
  const out = join(FOLDER, file);
  execFileSync('ffmpeg', ['-v', 'error', ...sound, ...picture, ...quietly, ...encode, out]);
  console.log(`${String(statSync(out).size).padStart(7)}  ${file}`);
}

mkdirSync(FOLDER, { recursive: true });
for (const clip of [...CLIPS, ...REFUSED_CLIPS]) make(clip);
