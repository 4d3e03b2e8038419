import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { speechLevel } from '../../../src/eval/scenes/active-level.ts';
import { makeNoise } from '../../../src/eval/scenes/noise.ts';
import { type OwnSounds, renderScene } from '../../../src/eval/scenes/render.ts';
import { SCENES, type Scene } from '../../../src/eval/scenes/scene.ts';
import { SeededRandom } from '../../../src/eval/seeded-random.ts';
import { wavBytes } from '../../../src/eval/wav-bytes.ts';
import { SAMPLE_RATE } from '../../../src/signal/units.ts';
import { readSound } from '../../signal/recordings.ts';
import { standInSpeech } from './stand-in-speech.ts';

const FIVE = SCENES.filter(({ group }) => group === 'five');
const named = (name: string): Scene => SCENES.find((scene) => scene.name === name)!;
const speech = { samples: standInSpeech(3), whispered: false };

const folder = mkdtempSync(join(tmpdir(), 'sotto-scenes-'));
afterAll(() => rmSync(folder, { recursive: true }));

function store(name: string, samples: Int16Array): string {
  const path = join(folder, `${name}.wav`);
  writeFileSync(path, wavBytes(samples, SAMPLE_RATE));
  return path;
}

const have = (tool: string): boolean => spawnSync(tool, ['--help']).error === undefined;

/** RMS level in dB by ffmpeg's astats, between two times. */
function astats(path: string, startSeconds: number, endSeconds: number): number {
  const filter = `atrim=${startSeconds}:${endSeconds},astats=measure_perchannel=none`;
  const { stderr } = spawnSync('ffmpeg', ['-i', path, '-af', filter, '-f', 'null', '-'], {
    encoding: 'utf8',
  });
  return Number(/Overall[\s\S]*?RMS level dB: (\S+)/.exec(stderr)?.[1]);
}

/** Integrated loudness in LUFS by ffmpeg's ebur128. */
function ebur128(path: string): number {
  const { stderr } = spawnSync('ffmpeg', ['-i', path, '-af', 'ebur128', '-f', 'null', '-'], {
    encoding: 'utf8',
  });
  return Number(/Integrated loudness:\s+I:\s+(\S+) LUFS/.exec(stderr)?.[1]);
}

/** RMS amplitude by sox, between two times. */
function soxRms(path: string, startSeconds: number, seconds: number): number {
  const stats = spawnSync('sox', [path, '-n', 'trim', `${startSeconds}`, `${seconds}`, 'stats'], {
    encoding: 'utf8',
  }).stderr;
  return Number(/RMS lev dB\s+(\S+)/.exec(stats)?.[1]);
}

describe('level', () => {
  test.each(SCENES)('speech of $name arrives at $levelDbfs dBFS', (scene) => {
    const { speech: arrived, activeDbfs } = renderScene(speech, scene, 'level');
    expect(Math.abs(activeDbfs - scene.levelDbfs)).toBeLessThan(0.01);
    const stored = Float64Array.from(arrived, (x) => x / 32768);
    expect(Math.abs(speechLevel(stored, SAMPLE_RATE).activeDbfs - scene.levelDbfs)).toBeLessThan(0.15);
  });

  // A steady sound has no pauses, so its RMS, which any tool measures, is its active level.
  test.runIf(have('ffmpeg') && have('sox'))('ffmpeg and sox measure the levels asked for', () => {
    const steady = makeNoise('white', 5 * SAMPLE_RATE, SAMPLE_RATE, new SeededRandom('steady'));
    const clean = { samples: Float32Array.from(steady, (x) => 0.05 * x), whispered: false };
    for (const scene of [...FIVE, named('level-20'), named('level-65')]) {
      const path = store(scene.name, renderScene(clean, scene, 'steady').speech);
      expect(Math.abs(astats(path, 0.7, 5.4) - scene.levelDbfs), scene.name).toBeLessThan(0.5);
      expect(Math.abs(soxRms(path, 0.7, 4.7) - scene.levelDbfs), scene.name).toBeLessThan(0.5);
    }
  });

  test.runIf(have('ffmpeg'))('backgrounds have their levels where nobody speaks', () => {
    for (const scene of [...FIVE, named('floor-50')]) {
      const { samples } = renderScene(speech, scene, 'background');
      // The lead lies before the speech; a whisper's analysis frame reaches 30 ms into it.
      const measured = astats(store(`${scene.name}-lead`, samples), 0, 0.45);
      const tolerance = scene.background!.kind === 'music' ? 6 : 1; // music is not steady within half a second
      expect(Math.abs(measured - scene.background!.rmsDbfs), scene.name).toBeLessThan(tolerance);
    }
  });

  test.runIf(have('ffmpeg'))('ffmpeg hears the steps of the sweep as they are', () => {
    const loudness = (name: string): number =>
      ebur128(store(name, renderScene(speech, named(name), 'sweep').samples));
    expect(loudness('level-20') - loudness('level-45')).toBeCloseTo(25, 0);
    expect(loudness('level-45') - loudness('level-60')).toBeCloseTo(15, 0);
  });

  test.runIf(have('ffmpeg'))('what the manifest will say of the file is true', () => {
    for (const scene of [named('far'), named('music')]) {
      const { samples, rmsDbfs } = renderScene(speech, scene, 'file');
      expect(astats(store(scene.name, samples), 0, 99)).toBeCloseTo(rmsDbfs, 2);
    }
  });

  test('only the loudest level clips, and says so', () => {
    expect(renderScene(speech, named('level-10'), 'clip').clippedSamples).toBeGreaterThan(0);
    for (const name of ['level-25', 'level-45', 'indoor']) {
      expect(renderScene(speech, named(name), 'clip').clippedSamples).toBe(0);
    }
  });

  test('digital silence stays silent instead of becoming loud', () => {
    const silence = { samples: new Float32Array(16_000), whispered: false };
    expect(renderScene(silence, named('level-20'), 'silence').samples.every((x) => x === 0)).toBe(true);
  });
});

describe('seed', () => {
  const hash = (scene: Scene, seed: string): string =>
    createHash('sha256')
      .update(renderScene(speech, scene, seed).samples)
      .digest('hex');

  test.each(FIVE)('$name: the same seed gives the same bytes, another one others', (scene) => {
    expect(hash(scene, '1')).toBe(hash(scene, '1'));
    expect(hash(scene, '1')).not.toBe(hash(scene, '2'));
  });
});

describe('scenes', () => {
  test('real whispers are not converted', () => {
    expect(renderScene(speech, named('whisper'), 'w').voice).toBe('converted to a whisper');
    expect(renderScene({ ...speech, whispered: true }, named('whisper'), 'w').voice).toBe('real whisper');
    expect(renderScene(speech, named('indoor'), 'w').voice).toBe('as recorded');
  });

  test('the recording begins half a second before the speech and ends half a second after it', () => {
    for (const scene of FIVE) {
      expect(renderScene(speech, scene, 'length').samples).toHaveLength(4 * SAMPLE_RATE);
    }
  });

  test('an impulse response and music of the user take the place of the made ones', () => {
    const [click, tone] = [Float64Array.of(0, 0, 1), Float64Array.from({ length: 100 }, (_, i) => i % 2)];
    const own: OwnSounds = { roomResponse: click, music: tone };
    const far = renderScene(speech, { ...named('far'), background: undefined! }, 'own', own);
    const near = renderScene(speech, named('level-40'), 'own');
    expect(far.room).toBe('from a file');
    // Two samples later, two decibels louder; otherwise the same.
    const gain = 10 ** (2 / 20);
    far.samples.slice(2).forEach((x, i) => expect(Math.abs(x - gain * near.samples[i]!)).toBeLessThan(2));
    const music = renderScene(speech, named('music'), 'own', own);
    expect(new Set(music.samples.slice(0, 4000)).size).toBe(2);
  });
});

test('the WAV files are read by an independent reader', () => {
  const samples = Int16Array.of(0, 1, -1, 32767, -32768);
  const { channels, sampleRate } = readSound(wavBytes(samples, SAMPLE_RATE));
  expect(sampleRate).toBe(16_000);
  expect([...channels[0]!].map((x) => x * 32768)).toEqual([...samples]);
  if (have('sox')) {
    const path = store('independent', samples);
    expect(execFileSync('soxi', ['-s', path], { encoding: 'utf8' }).trim()).toBe('5');
    expect(readFileSync(path)).toHaveLength(54);
  }
});
