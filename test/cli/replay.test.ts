import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_OPTIONS, type TranscriptEvent } from '../../src/engine/events.ts';
import { readSession, writeSession } from '../../src/engine/session.ts';
import { openAudioFile } from '../../src/platform/node/decode-file.ts';
import { openEngine } from '../../src/platform/node/open-engine.ts';
import type { AudioBlock } from '../../src/signal/units.ts';
import { temporaryFolder } from '../fixtures/seeded-dir.ts';
import { runSotto } from './run-sotto.ts';

const CLIPS = resolve(import.meta.dirname, '../../public/clips');
const TEXT = 'en_close-the-door';

let folder: string;
let session: string;
let events: TranscriptEvent[];

/** What the laboratory does, on Node: reads a clip with its trace and saves all of it. */
beforeAll(async () => {
  folder = await temporaryFolder();
  session = join(folder, 'session.wav');
  const { engine } = await openEngine({ modelDir: resolve(CLIPS, '../models/sample') }, 'cpu');
  const audio = await openAudioFile(join(CLIPS, `${TEXT}.wav`));
  const blocks: AudioBlock[] = [];
  for await (const block of audio.blocks()) blocks.push({ ...block, samples: block.samples.slice() });
  const options = { ...DEFAULT_OPTIONS, trace: true };
  events = [];
  const sound = (async function* () {
    yield* blocks;
  })();
  for await (const event of engine.transcribe(sound, options, new AbortController().signal))
    events.push(event);
  const samples = Float32Array.from(blocks.flatMap((block) => [...block.samples]));
  await writeFile(session, writeSession({ samples, model: engine.info, options, events }));
  await engine.release();
});
afterAll(() => rm(folder, { recursive: true }));

test('the trace tells of every stage, and its tokens are the transcript', () => {
  const kinds = events.flatMap((event) => (event.type === 'trace' ? [event.what.kind] : []));
  expect(new Set(kinds)).toEqual(new Set(['gain', 'voice', 'reading', 'mel', 'token', 'work']));
  const said = events.flatMap((event) =>
    event.type === 'trace' && event.what.kind === 'token' ? [event.what.token.text] : [],
  );
  const texts = events.flatMap((event) => (event.type === 'final' ? [event.segment.text] : []));
  expect(said.join('').trim()).toBe(texts.join(' '));
  const at = events.flatMap((event) => (event.type === 'trace' ? [event.atMs] : []));
  expect(at).toEqual([...at].sort((a, b) => a - b));
});

test('replay prints what happened and finds the same text again', async () => {
  const { code, stdout, stderr } = await runSotto(['replay', session, '--device', 'cpu']);
  expect(stderr).toBe('');
  const text = (await readFile(join(CLIPS, `${TEXT}.txt`), 'utf8')).trim();
  expect(stdout).toContain(text);
  for (const word of ['window', 'reading', 'gain', 'voice', 'token', 'work', 'encoder'])
    expect(stdout).toContain(word);
  expect(stdout).toContain('The same text came out.');
  expect(code).toBe(0);
});

test('replay says so when another text comes out', async () => {
  const saved = readSession(await readFile(session));
  const other = saved.events.map((event) =>
    event.type === 'final' ? { ...event, segment: { ...event.segment, text: 'open the window' } } : event,
  );
  const changed = join(folder, 'changed.wav');
  await writeFile(changed, writeSession({ ...saved, events: other }));
  const { code, stdout } = await runSotto(['replay', changed, '--device', 'cpu']);
  expect(stdout).toContain('Another text came out. It was:\n  open the window');
  expect(code).toBe(1);
});

test('replay says what is wrong with a file that is no session', async () => {
  const { code, stderr } = await runSotto(['replay', join(CLIPS, `${TEXT}.wav`)]);
  expect(stderr).toContain('no session that Sotto has saved');
  expect(code).toBe(13);
});
