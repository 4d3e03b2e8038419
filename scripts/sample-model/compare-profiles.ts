// Does a profile cost text? Converts the checkpoint in every profile and lets each read the held-out clips as the
// reference does (exact mode, CPU); fp32 is the yardstick.
//
//   npx tsx scripts/sample-model/compare-profiles.ts CHECKPOINT_DIR HELDOUT_DIR

import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '../../src/model/load.ts';
import { createEngine } from '../../src/engine/create-engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { EXACT_OPTIONS } from '../../src/engine/events.ts';
import { PROFILES, type Profile } from '../../src/model/manifest.ts';
import { CheckpointFolder } from '../../src/platform/node/checkpoint-folder.ts';
import { openAudioFile } from '../../src/platform/node/decode-file.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import { convertInMemory } from '../../test/fixtures/memory-model.ts';

const signal = new AbortController().signal;

async function openProfile(checkpointDir: string, profile: Profile): Promise<Engine> {
  const files = new CheckpointFolder(checkpointDir);
  // Accuracy level 4, as the converter ships it.
  const model = await convertInMemory(files, profile, 4);
  await files.close();
  return createEngine(await loadModel(model, createNodeRuntime({ provider: 'cpu' })));
}

async function read(engine: Engine, path: string): Promise<string> {
  const audio = await openAudioFile(path);
  for await (const event of engine.transcribe(audio.blocks(signal), EXACT_OPTIONS, signal)) {
    if (event.type === 'final') return event.segment.text;
  }
  return '';
}

const [checkpointDir = '', heldoutDir = ''] = process.argv.slice(2);
const clips = readdirSync(heldoutDir).filter((name) => name.endsWith('.wav'));
const said = await Promise.all(
  clips.map(async (clip) => (await readFile(join(heldoutDir, clip.replace(/wav$/, 'txt')), 'utf8')).trim()),
);
const rows = [];
let yardstick: readonly string[] = [];
for (const profile of PROFILES) {
  const engine = await openProfile(checkpointDir, profile);
  const texts: string[] = [];
  for (const clip of clips) texts.push(await read(engine, join(heldoutDir, clip)));
  await engine.release();
  if (profile === 'fp32') yardstick = texts;
  const share = (others: readonly string[]): string =>
    `${((100 * texts.filter((text, i) => text === others[i]).length) / texts.length).toFixed(1)} %`;
  rows.push({
    profile,
    clips: clips.length,
    'same text as fp32': share(yardstick),
    'text as said': share(said),
  });
}
console.table(rows);
