// The work that live captions cost: readings of growing windows with the last reading as a draft, and from
// scratch. Ratios of decoder runs hold on every machine; SPEED.md keeps the figures.

import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { bench, describe } from 'vitest';
import { clipSamples, revise, sampleModel } from '../engine/growing-windows.ts';

const CLIPS = readdirSync(resolve(import.meta.dirname, '../../public/clips'))
  .filter((name) => name.endsWith('.wav'))
  .map((name) => name.slice(0, -4));

const model = await sampleModel();
const sounds = await Promise.all(CLIPS.map(clipSamples));

for (const stepSeconds of [0.25, 0.5]) {
  describe(`all clips, read anew every ${stepSeconds} s`, () => {
    for (const drafts of [true, false]) {
      let runs = 0;
      let readings = 0;
      bench(
        drafts ? 'with drafts' : 'from scratch',
        async () => {
          for (const samples of sounds) {
            const revisions = await revise(model, samples, { drafts, stepSeconds });
            runs += revisions.decoderRuns;
            readings += revisions.ids.length;
          }
        },
        {
          iterations: 1,
          time: 0,
          warmupIterations: 0,
          warmupTime: 0,
          teardown: () =>
            console.log(
              `${drafts ? 'with drafts' : 'from scratch'}: ${runs} decoder runs, ${readings} readings`,
            ),
        },
      );
    }
  });
}
