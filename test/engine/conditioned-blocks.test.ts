import { expect, test } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import type { AudioWindow } from '../../src/engine/segmenter.ts';
import { windowsOf } from '../../src/engine/windows.ts';
import { conditioned } from '../../src/signal/front-end.ts';
import { LIVE_LOOK_AHEAD_HOPS } from '../../src/signal/gain.ts';
import { windowFeatures } from '../../src/signal/log-mel.ts';
import type { AudioBlock } from '../../src/signal/units.ts';
import { concat, furthest, inBlocks } from '../signal/signals.ts';
import { scene } from '../signal/speech.ts';

const quiet = concat(scene('english', -55, -85).samples, scene('mandarin', -55, -85).samples);

async function* plain(samples: Float32Array, blockSamples = 1600): AsyncGenerator<AudioBlock> {
  let startSample = 0;
  for (const block of inBlocks(samples, [blockSamples])) {
    yield { startSample, samples: block };
    startSample += block.length;
  }
}

async function windows(audio: AsyncIterable<AudioBlock>): Promise<AudioWindow[]> {
  const made: AudioWindow[] = [];
  for await (const window of windowsOf(audio, { ...DEFAULT_OPTIONS, live: true })) made.push(window);
  return made;
}

test('blocks that were conditioned on the audio thread give the same windows, with their frames', async () => {
  const here = await windows(plain(quiet));
  const gain = { lookAheadHops: LIVE_LOOK_AHEAD_HOPS };
  const blocks = conditioned([...inBlocks(quiet, [700])], { sampleRate: 16_000, melBins: 128, gain });
  const there = await windows(blocks);
  expect(there.map(({ startSample, utterances }) => ({ startSample, utterances }))).toEqual(
    here.map(({ startSample, utterances }) => ({ startSample, utterances })),
  );
  expect(there.length).toBe(2);
  for (const [i, { samples, streamed }] of there.entries()) {
    expect(furthest(samples, here[i]!.samples)).toBe(0);
    expect(streamed!.firstFrame).toBe(0);
    expect(streamed!.logMel.length).toBeGreaterThan((samples.length / 160 - 3) * 128);
    const finished = windowFeatures(samples, { melBins: 128, streamed: streamed! });
    expect(furthest(finished, windowFeatures(samples, { melBins: 128 }))).toBe(0);
  }
});
