import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseEngineSpec } from '../../../src/eval/engines/engine-spec.ts';
import { openParaformer } from '../../../src/eval/engines/paraformer.ts';
import { readSamples } from '../../../src/eval/read-audio.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const spec = parseEngineSpec(`paraformer,dir=${fixture('tiny-paraformer')}`);
const NEVER = new AbortController().signal;

/** Not installed with Sotto: npm install --no-save sherpa-onnx */
function installed(): boolean {
  try {
    createRequire(import.meta.url).resolve('sherpa-onnx');
    return true;
  } catch {
    return false; // that is the answer
  }
}

test('a folder that lacks a file says which', async () => {
  const empty = parseEngineSpec(`paraformer,dir=${fixture('goldens')}`);
  await expect(openParaformer(empty)).rejects.toMatchObject({ code: 'model-not-found' });
});

test.skipIf(installed())('without the package it says what to install', async () => {
  await expect(openParaformer(spec)).rejects.toThrow('npm install --no-save sherpa-onnx');
});

// A Paraformer of one matrix (scripts/goldens/tiny_paraformer.py): loads and answers like a real one, with nonsense.
test.runIf(installed())('reads a recording', async () => {
  const engine = await openParaformer(spec);
  const read = async (clip: string): Promise<string> => {
    const samples = await readSamples(fixture(`goldens/${clip}`));
    const audio = { id: clip, samples, language: 'zh', wav: () => new Uint8Array() };
    return (await engine.transcribe(audio, NEVER)).text;
  };
  const texts = [await read('log-mel-english.wav'), await read('log-mel-mandarin.wav')];
  expect(texts[0]).toMatch(/^[好的明天早]{20,}$/);
  expect(texts[1]).toMatch(/^[好的明天早]{40,}$/);
  expect(await read('log-mel-english.wav')).toBe(texts[0]);
  await engine.close();
});
