import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEngineSpec } from '../../../src/eval/engines/engine-spec.ts';
import type { EvalAudio, EvalEngine } from '../../../src/eval/engines/eval-engine.ts';
import { openWhisper } from '../../../src/eval/engines/whisper.ts';
import { readSamples } from '../../../src/eval/read-audio.ts';

// A Whisper with random weights (scripts/goldens/tiny_whisper.py). Its text is nonsense; that it is the reference's
// nonsense, for every clip and language, shows that features, prompt, cache and detokenizer are right.

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const expected = JSON.parse(readFileSync(fixture('tiny-whisper/expected.json'), 'utf8')) as {
  clip: string;
  language: string;
  text: string;
}[];

const NEVER = new AbortController().signal;
let engine: EvalEngine;
beforeAll(async () => {
  engine = await openWhisper(parseEngineSpec(`whisper,model=${fixture('tiny-whisper')}`));
});
afterAll(() => engine.close());

async function audioOf(clip: string, language: string): Promise<EvalAudio> {
  const samples = await readSamples(fixture(`goldens/${clip}`));
  return { id: clip, samples, language, wav: () => readFileSync(fixture(`goldens/${clip}`)) };
}

test.each(expected)('reads $clip as $language like the reference', async ({ clip, language, text }) => {
  const reading = await engine.transcribe(await audioOf(clip, language), NEVER);
  expect(reading.text).toBe(text);
  expect(reading.firstTextMs).toBeGreaterThan(0);
});

test('the texts differ by clip and by language, or the test above would prove little', () => {
  expect(new Set(expected.map(({ text }) => text)).size).toBe(expected.length);
});

describe('limits', () => {
  test('a recording of more than 30 s is read in pieces', async () => {
    const { samples, ...rest } = await audioOf('log-mel-mandarin.wav', 'zh');
    const long = new Float32Array(31 * 16_000);
    for (let at = 0; at + samples.length < long.length; at += samples.length) long.set(samples, at);
    const whole = await engine.transcribe({ ...rest, samples: long }, NEVER);
    const first = await engine.transcribe({ ...rest, samples: long.slice(0, 30 * 16_000) }, NEVER);
    expect(whole.text).not.toBe(first.text);
  });

  test('stopping ends the call with the reason', async () => {
    const stop = AbortSignal.abort(new Error('changed my mind'));
    await expect(engine.transcribe(await audioOf('log-mel-english.wav', 'en'), stop)).rejects.toThrow(
      'changed my mind',
    );
  });

  test('a folder that holds no model says so', async () => {
    const spec = parseEngineSpec(`whisper,model=${fixture('goldens')}`);
    await expect(openWhisper(spec)).rejects.toMatchObject({ code: 'model-not-found' });
  });
});
