import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../src/engine/create-engine.ts';
import type { Engine } from '../src/engine/engine.ts';
import { DEFAULT_OPTIONS, EXACT_OPTIONS, type TranscribeOptions } from '../src/engine/events.ts';
import { loadModel } from '../src/model/load.ts';
import { openAudioFile } from '../src/platform/node/decode-file.ts';
import { openModelDir } from '../src/platform/node/model-dir.ts';
import { createNodeRuntime } from '../src/platform/node/ort.ts';
import { joinText } from '../src/text/join.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MODEL = join(ROOT, 'public/models/sample');
const CLIPS = join(ROOT, 'public/clips');
const clips = readdirSync(CLIPS).filter((name) => name.endsWith('.wav'));

let engine: Engine;
beforeAll(async () => {
  engine = createEngine(await loadModel(await openModelDir(MODEL), createNodeRuntime({ provider: 'cpu' })));
});
afterAll(async () => engine.release());

async function read(path: string, options: TranscribeOptions): Promise<string> {
  const signal = new AbortController().signal;
  const audio = await openAudioFile(path);
  const pieces: string[] = [];
  for await (const event of engine.transcribe(audio.blocks(signal), options, signal)) {
    if (event.type === 'final') pieces.push(event.segment.text);
  }
  return joinText(pieces);
}

describe.each([
  { how: 'as people use it', options: DEFAULT_OPTIONS },
  { how: 'as the reference reads', options: EXACT_OPTIONS },
])('the sample model, $how', ({ options }) => {
  test.each(clips)('knows %s word for word', async (clip) => {
    const said = readFileSync(join(CLIPS, clip.replace(/wav$/, 'txt')), 'utf8').trim();
    expect(await read(join(CLIPS, clip), options)).toBe(said);
  });
});

test('the sample model takes at most 8 MB', () => {
  const bytes = readdirSync(MODEL).reduce((sum, name) => sum + statSync(join(MODEL, name)).size, 0);
  expect(bytes).toBeLessThanOrEqual(8e6);
});
