import { copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENGINE_KINDS } from '../../src/eval/engines/engine-spec.ts';
import { SCENES } from '../../src/eval/scenes/scene.ts';
import { temporaryFolder, writeSeededModel } from '../fixtures/seeded-dir.ts';
import { runSotto } from './run-sotto.ts';

const SOUNDS = resolve(import.meta.dirname, '../fixtures/goldens');

let folder: string;
let clips: string;
let model: string;

/** A person's own folder: recordings with what is said in them. */
beforeAll(async () => {
  folder = await temporaryFolder();
  clips = join(folder, 'clips');
  model = join(folder, 'model');
  await mkdir(clips);
  for (const [name, text] of [
    ['english', 'Close the door\n'],
    ['mandarin', '明天早上别忘了开会\n'],
  ] as const) {
    await copyFile(join(SOUNDS, `log-mel-${name}.wav`), join(clips, `${name}.wav`));
    await writeFile(join(clips, `${name}.txt`), text);
  }
  await writeSeededModel(model);
});
afterAll(() => rm(folder, { recursive: true }));

const engine = (more = ''): string => `sotto,model=${model},device=cpu,max-tokens=4${more}`;

test('a folder of recordings and texts becomes readings, a table, CSV and a page; a second run reads nothing again', async () => {
  const out = join(folder, 'out');
  const args = ['eval', clips, '--engine', engine(), '--engine', engine(',exact=on'), '--out', out];
  const first = await runSotto(args);
  expect(first.code, first.stderr).toBe(0);
  expect(first.stdout).toContain('MER');
  expect(first.stdout).toContain('Mandarin');
  expect(first.stdout).toContain('against model max-tokens 4'); // the other engine, clip by clip
  expect((await readdir(out)).sort()).toEqual([
    ...['alignments.txt', 'clips.csv', 'differences.csv', 'engines.csv', 'rates.csv', 'report.html'],
    'results',
  ]);
  const page = await readFile(join(out, 'report.html'), 'utf8');
  for (const part of ['明', 'English', 'data:audio/wav;base64,', 'exact on', 'sotto eval']) {
    expect(page).toContain(part);
  }

  const path = join(out, 'results', (await readdir(join(out, 'results')))[0]!, 'clips', 'mandarin.json');

  const before = await stat(path);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ id: 'mandarin', key: expect.any(String) });
  expect((await runSotto(args)).stdout).toBe(first.stdout);
  expect((await stat(path)).mtimeMs).toBe(before.mtimeMs);
});

test('scenes are made on demand, by group or by name, from recordings joined or not', async () => {
  const out = join(folder, 'scenes');
  const { code, stderr } = await runSotto(['eval', clips, '--scenes', 'five,level-60', '--per-scene', '1', '--no-read', '--out', out]); // prettier-ignore
  expect(code, stderr).toBe(0);
  expect((await readdir(join(out, 'scenes'))).sort()).toEqual(
    ['clips.json', 'far', 'indoor', 'level-60', 'music', 'phone', 'whisper'].sort(),
  );
  const joined = await runSotto(['eval', clips, '--join', '2', '--no-read', '--out', out]);
  expect(joined.code).toBe(18); // clips-not-found: no two of one language
});

test('the help names every scene, every engine and every setting', async () => {
  const { code, stdout } = await runSotto(['eval', '--help']);
  expect(code).toBe(0);
  for (const { name } of SCENES) expect(stdout).toContain(name);
  for (const [kind, settings] of Object.entries(ENGINE_KINDS)) {
    for (const word of [kind, ...Object.keys(settings)]) expect(stdout).toContain(word);
  }
});

test('what is wrong is said in one line, with what to do', async () => {
  const nowhere = await runSotto(['eval', join(folder, 'nowhere')]);
  expect(nowhere.stderr.trim().split('\n')).toHaveLength(1);
  expect(nowhere.stderr).toContain('Point to a folder with recordings');
  for (const args of [
    ['--engine', 'siri'],
    ['--engine', 'whisper,colour=red'],
    ['--scenes', 'six'],
    ['--compare', 'front-end', '--engine', engine()],
    ['--audio-seconds', 'many'],
  ]) {
    const { code, stderr } = await runSotto(['eval', clips, ...args]);
    expect(code, args.join(' ')).toBe(2);
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+/); // no stack trace
  }
});
