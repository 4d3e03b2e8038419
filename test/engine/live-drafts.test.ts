import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Model } from '../../src/model/load.ts';
import { clipSamples, revise, sampleModel } from './growing-windows.ts';

/** One of each language, and the whisper. The bench reads them all. */
const CLIPS = ['en_meeting-on-thursday', 'zh_meeting-tomorrow', 'yue_meeting-tomorrow', 'en_i-whisper'];

let model: Model;
beforeAll(async () => void (model = await sampleModel()));
afterAll(async () => {
  await model.release();
  await model.runtime.release();
});

test('with the last reading as a draft every reading has the ids that stepping from scratch gives', async () => {
  for (const clip of CLIPS) {
    const samples = await clipSamples(clip);
    const scratch = await revise(model, samples, { drafts: false, stepSeconds: 1.2 });
    const drafted = await revise(model, samples, { drafts: true, stepSeconds: 1.2 });
    expect(drafted.ids, clip).toEqual(scratch.ids);
    expect(scratch.ids.at(-1)!.length).toBeGreaterThan(3);
    expect(drafted.decoderRuns).toBeLessThan(scratch.decoderRuns);
  }
}, 300_000);
