import { once } from 'node:events';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder, writeSeededModel } from '../fixtures/seeded-dir.ts';
import { WITHOUT_VOICE_MODEL } from '../without-voice-model.ts';
import { to16Bit, wavBytes } from '../../src/eval/wav-bytes.ts';
import { readSamples } from '../../src/eval/read-audio.ts';
import { runSotto, startSotto } from './run-sotto.ts';

const CLIP = resolve(import.meta.dirname, '../fixtures/goldens/log-mel-english.wav');

let folder: string;
let model: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder, 'model');
  await writeSeededModel(model);
});
afterAll(() => rm(folder, { recursive: true }));

test('writes JSON with ids, times, timings and the real-time factor', async () => {
  const { code, stdout, stderr } = await runSotto(['transcribe', CLIP, '--exact', '--format', 'json', '--model', model, '--max-new-tokens', '8', '--device', 'cpu']); // prettier-ignore
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const json = JSON.parse(stdout);
  expect(json).toMatchObject({ file: CLIP, model: 'in-memory (fp32)', segments: [{ startSeconds: 0 }] });
  expect(json.device).toMatch(/^CPU/);
  expect(json.segments[0].ids).toHaveLength(8);
  expect(json.segments[0].meanLogProb).toBeLessThan(0);
  expect(json.segments[0].endSeconds).toBeCloseTo(json.durationSeconds, 3);
  expect(json.rtf).toBeGreaterThan(0);
  for (const name of ['featuresMs', 'encoderMs', 'prefillMs', 'stepsMs', 'totalMs']) {
    expect(json.timings[name], name).toBeGreaterThan(0);
  }
});

test('goes on after a bad file, says what is wrong in one line each, and ends with the first exit code', async () => {
  const text = join(folder, 'notes.wav');
  const empty = join(folder, 'empty.wav');
  await writeFile(text, 'this is no sound\n'.repeat(20));
  await writeFile(empty, '');
  const files = [join(folder, 'nowhere.wav'), text, empty, folder, CLIP];
  const { code, stdout, stderr } = await runSotto(['transcribe', ...files, '--exact', '--format', 'json', '--model', model, '--max-new-tokens', '4']); // prettier-ignore
  expect(code).toBe(10);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(stdout).file).toBe(CLIP);
  const lines = stderr.trim().split('\n');
  expect(lines).toHaveLength(4);
  for (const [i, line] of lines.entries()) expect(line).toContain(`sotto: ${files[i]}: `);
  expect(stderr).not.toMatch(/\bat .*:\d+:\d+/); // no stack trace
});

test('an engine that dies costs the file that it was reading; the next one is read by a new engine', async () => {
  const long = join(folder, 'ten minutes.wav');
  const samples = to16Bit(await readSamples(CLIP));
  const said = new Int16Array(600 * 16_000);
  for (let at = 0; at + samples.length <= said.length; at += samples.length) said.set(samples, at);
  await writeFile(long, wavBytes(said, 16_000));
  const { child, outcome } = startSotto(['transcribe', CLIP, long, CLIP, '--model', model, '--device', 'cpu', '--max-new-tokens', '8']); // prettier-ignore
  // The first text is written: from now on the second file is read.
  await once(child.stdout, 'data');
  const [engine = 0] = await childrenOf(child.pid);
  process.kill(engine, 'SIGKILL');
  const { code, stdout, stderr } = await outcome;
  expect(stderr).toMatch(/^sotto: .*ten minutes\.wav: The engine ended by itself \(SIGKILL\)\. Try again/);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(65);
  const texts = stdout.split(/==> .* <==\n/).filter((text) => text.trim() !== '');
  expect(texts).toHaveLength(2);
  expect(texts[1]!.trim()).toBe(texts[0]!.trim());
});

/** Processes that a process has started. */
async function childrenOf(parent: number | undefined): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''); // it has ended
      return Number(/\) \S (\d+)/.exec(stat)?.[1]);
    }),
  );
  return pids.map(Number).filter((_, i) => parents[i] === parent);
}

describe('--out', () => {
  test('writes one file per recording, and keeps endings where names would clash', async () => {
    const out = join(folder, 'out');
    const clips = join(folder, 'clips');
    await mkdir(clips);
    await copyFile(CLIP, join(clips, 'talk.wav'));
    await copyFile(CLIP, join(clips, 'talk.wave'));
    await copyFile(CLIP, join(clips, 'other.wav'));
    const inputs = (await readdir(clips)).map((name) => join(clips, name));
    const { code, stdout } = await runSotto(['transcribe', ...inputs, '--exact', '--format', 'srt', '--out', out, '--model', model, '--max-new-tokens', '4']); // prettier-ignore
    expect(code).toBe(0);
    expect(stdout).toBe('');
    expect((await readdir(out)).sort()).toEqual(['other.srt', 'talk.wav.srt', 'talk.wave.srt']);
    expect(await readFile(join(out, 'other.srt'), 'utf8')).toMatch(/^1\n00:00:00,000 --> 00:00:/);
  });

  test('says that a folder cannot be written to, before any work', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const { code, stderr } = await runSotto([
      'transcribe',
      CLIP,
      '--out',
      join(file, 'sub'),
      '--model',
      model,
    ]);
    expect(code).toBe(45);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

test('says that there is no model, that a shard is missing, and that one is damaged', async () => {
  const broken = join(folder, 'broken');
  expect((await runSotto(['transcribe', CLIP, '--model', join(folder, 'nothing')])).code).toBe(20);
  await writeSeededModel(broken);
  const shard = (await readdir(broken)).find((name) => name.startsWith('weights-'));
  const path = join(broken, shard!);
  const bytes = await readFile(path);
  bytes[1000]! ^= 1;
  await writeFile(path, bytes);
  const damaged = await runSotto(['transcribe', CLIP, '--model', broken]);
  expect(damaged.code).toBe(23);
  expect(damaged.stderr).toContain(shard);
  await rm(path);
  expect((await runSotto(['transcribe', CLIP, '--model', broken])).code).toBe(22);
});

test('says once, however many files there are, that voices cannot be told from other sounds', async () => {
  const args = ['transcribe', CLIP, CLIP, '--model', model, '--max-new-tokens', '4', '--device', 'cpu'];
  const { code, stdout, stderr } = await runSotto(args, undefined, WITHOUT_VOICE_MODEL);
  expect(code).toBe(0);
  expect(stdout.match(/^==> /gm)).toHaveLength(2);
  expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/^sotto: The voice model failed: /)]);
});

test('an option that does not exist, or a value that does not fit, ends with 2', async () => {
  expect((await runSotto(['transcribe', CLIP, '--no-such-option'])).code).toBe(2);
  expect((await runSotto(['transcribe', CLIP, '--format', 'pdf'])).code).toBe(2);
  expect((await runSotto(['transcribe', CLIP, '--max-new-tokens', '0'])).code).toBe(2);
  expect((await runSotto(['transcribe'])).code).toBe(2);
  expect((await runSotto(['--help'])).code).toBe(0);
});

test('files that all cannot be read, so that the engine has nothing to do, end it with a code and not in a crash', async () => {
  const { code, stderr } = await runSotto(['transcribe', 'nothing.wav', 'no.wav', '--device', 'cpu']);
  expect(stderr.match(/^sotto: .*$/gm)).toHaveLength(2);
  expect(code).toBe(10);
});
