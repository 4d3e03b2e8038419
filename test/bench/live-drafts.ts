// The work that live captions cost: readings of growing windows with the last reading as a draft, and from
// scratch, on every shipped clip. Prints a table of SPEED.md. Counts of decoder runs hold on every machine.
//
//   npm run bench -- live-drafts

import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { clipSamples, revise, sampleModel } from '../engine/growing-windows.ts';

const CLIPS = readdirSync(resolve(import.meta.dirname, '../../public/clips'))
  .filter((name) => name.endsWith('.wav'))
  .map((name) => name.slice(0, -4));

const model = await sampleModel();
const sounds = await Promise.all(CLIPS.map(clipSamples));

console.log('| read anew every | readings | decoder runs with drafts | from scratch | fewer | ms |');
console.log('| --- | --: | --: | --: | --: | --: |');
for (const stepSeconds of [0.25, 0.5]) {
  let readings = 0;
  const runs = { drafts: 0, scratch: 0 };
  const milliseconds = { drafts: 0, scratch: 0 };
  for (const samples of sounds) {
    for (const way of ['drafts', 'scratch'] as const) {
      const revisions = await revise(model, samples, { drafts: way === 'drafts', stepSeconds });
      runs[way] += revisions.decoderRuns;
      milliseconds[way] += revisions.milliseconds;
      if (way === 'drafts') readings += revisions.ids.length;
    }
  }
  const fewer = (runs.scratch / runs.drafts).toFixed(1);
  const ms = `${milliseconds.drafts.toFixed(0)} against ${milliseconds.scratch.toFixed(0)}`;
  console.log(`| ${stepSeconds} s | ${readings} | ${runs.drafts} | ${runs.scratch} | ${fewer} × | ${ms} |`);
}
await model.release();
await model.runtime.release();
