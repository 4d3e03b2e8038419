import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conditioned, EXACT, FrontEnd, type FrontEndOptions } from '../../src/signal/front-end.ts';
import { LogMelStream, windowFeatures } from '../../src/signal/log-mel.ts';
import { Resampler } from '../../src/signal/resample.ts';
import { BOXED_NUMBER_BYTES, bytesPerCall } from './allocation.ts';
import { concat, furthest, inBlocks, rmsDb, sine, whiteNoise } from './signals.ts';
import { scene } from './speech.ts';

interface Run {
  recorded: Float32Array;
  samples: Float32Array;
  logMel: Float32Array;
}

function run(
  input: Float32Array,
  options: Omit<FrontEndOptions, 'maxBlockSamples'>,
  blockSizes: number[],
): Run {
  const frontEnd = new FrontEnd({ ...options, maxBlockSamples: Math.max(...blockSizes) });
  const melBins = options.melBins ?? 0;
  const parts: Run[] = [];
  const made = { recorded: 0, samples: 0, frames: 0 };
  const keep = (output: ReturnType<FrontEnd['push']>): void => {
    const { recordedStartSample, startSample, firstFrame } = output;
    if (recordedStartSample !== made.recorded || startSample !== made.samples || firstFrame !== made.frames) {
      throw new Error('an output does not begin where the last one ended');
    }
    made.recorded += output.recordedCount;
    made.samples += output.sampleCount;
    made.frames += output.frameCount;
    if (output.recordedCount + output.sampleCount === 0) return;
    parts.push({
      recorded: output.recorded.slice(0, output.recordedCount),
      samples: output.samples.slice(0, output.sampleCount),
      logMel: output.logMel.slice(0, output.frameCount * melBins),
    });
  };
  for (const block of inBlocks(input, blockSizes)) keep(frontEnd.push(block));
  keep(frontEnd.finish());
  const all = (key: keyof Run): Float32Array => concat(...parts.map((part) => part[key]));
  return { recorded: all('recorded'), samples: all('samples'), logMel: all('logMel') };
}

/** A scene as a 48 kHz microphone hears it. */
function atDevice(samples: Float32Array): Float32Array {
  const up = new Resampler(16_000, 48_000);
  const out = new Float32Array(up.maxOutputs(samples.length));
  const made = up.push(samples, out);
  const rest = new Float32Array(up.maxOutputs(0));
  return concat(out.subarray(0, made), rest.subarray(0, up.finish(rest)));
}

const { samples: quiet } = scene('english', -50, -80);
const device = atDevice(quiet.subarray(0, 40_000));

test('the chain gives the same for any block sizes, quanta of 128 included', () => {
  const options = { sampleRate: 48_000, melBins: 80 };
  const whole = run(device, options, [device.length]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 10, max: 3000 }), { minLength: 1, maxLength: 4 }), (sizes) => {
      const cut = run(device, options, sizes);
      for (const key of ['recorded', 'samples', 'logMel'] as const)
        expect(furthest(cut[key], whole[key])).toBe(0);
    }),
    { numRuns: 6 },
  );
  expect(furthest(run(device, options, [128]).logMel, whole.logMel)).toBe(0);
});

test('what comes out is as long as what went in, and what was recorded is not altered', () => {
  const { recorded, samples } = run(device, { sampleRate: 48_000 }, [128]);
  expect(recorded.length).toBe(Math.ceil(device.length / 3));
  expect(samples.length).toBe(recorded.length);
  const inner = (x: Float32Array): Float32Array => x.subarray(500, 39_500);
  // Up to 48 kHz and back: the same below the pass band's edge. The scene's noise reaches beyond it.
  expect(rmsDb(inner(recorded).map((x, i) => x - inner(quiet)[i]!))).toBeLessThan(-85);
  expect(rmsDb(samples) - rmsDb(recorded)).toBeGreaterThan(15);
});

test('exactly: resampling only', () => {
  const { recorded, samples, logMel } = run(quiet, { sampleRate: 16_000, ...EXACT }, [4096]);
  expect(furthest(recorded, quiet)).toBe(0);
  expect(furthest(samples, quiet)).toBe(0);
  expect(logMel.length).toBe(0);
});

test('frames belong to the samples beside them: a window made of them equals one made at once', () => {
  const melBins = 128;
  const { samples, logMel } = run(device, { sampleRate: 48_000, melBins }, [128]);
  const startFrame = 30;
  const window = samples.slice(startFrame * 160, startFrame * 160 + 12_000);
  const finished = windowFeatures(window, { melBins, streamed: { logMel, firstFrame: -startFrame } });
  expect(furthest(finished, windowFeatures(window, { melBins }))).toBe(0);
  const stream = new LogMelStream(melBins);
  const alone = new Float32Array(LogMelStream.maxFrames(samples.length) * melBins);
  expect(stream.push(samples, alone) * melBins).toBe(logMel.length);
});

test('numbers that are none count as silence', () => {
  const input = sine(440, 8000, 0.1);
  for (const at of [100, 2000, 2001]) input[at] = NaN;
  input[5000] = Infinity;
  const { samples, logMel } = run(input, { sampleRate: 16_000, melBins: 80 }, [500]);
  expect(samples.every(Number.isFinite) && logMel.every(Number.isFinite)).toBe(true);
});

test('a block longer than promised is a bug, not a lost sample', () => {
  const frontEnd = new FrontEnd({ sampleRate: 48_000, maxBlockSamples: 128 });
  expect(() => frontEnd.push(new Float32Array(129))).toThrow('no longer than promised');
});

describe.each<[string, Partial<FrontEndOptions>]>([
  ['all stages', { melBins: 128, gain: { lookAheadHops: 30 } }],
  ['resampling only', EXACT],
])('a quantum through %s', (_, options) => {
  test('costs no allocation', () => {
    const frontEnd = new FrontEnd({ sampleRate: 48_000, maxBlockSamples: 128, ...options });
    const quantum = whiteNoise(128, 0.01);
    // V8 may box a few of the numbers measured per 10 ms; an array per quantum would be 500 bytes.
    const few = 4 * BOXED_NUMBER_BYTES;
    expect(bytesPerCall(() => frontEnd.push(quantum), 2000, few)).toBeLessThan(few);
  });
});

test('as a stream of blocks it carries frames and verdicts along', async () => {
  const whole = run(device, { sampleRate: 48_000, melBins: 80 }, [8192]);
  const blocks = [];
  for await (const block of conditioned([...inBlocks(device, [30_000, 17])], {
    sampleRate: 48_000,
    melBins: 80,
  })) {
    expect(block.startSample).toBe(blocks.reduce((sum, b) => sum + b.samples.length, 0));
    blocks.push(block);
  }
  expect(furthest(concat(...blocks.map((b) => b.samples)), whole.samples)).toBe(0);
  expect(furthest(concat(...blocks.map((b) => b.logMel!)), whole.logMel)).toBe(0);
  const verdicts = blocks.flatMap((b) => b.activity);
  expect(verdicts.length).toBe(Math.ceil(40_000 / 160));
  expect(verdicts.filter((v) => v.speech).length).toBeGreaterThan(80);
});

test('without gain the verdicts are the same, and the sound is the one that came', async () => {
  const verdicts = async (gain: false | undefined): Promise<unknown[]> => {
    const heard: unknown[] = [];
    for await (const block of conditioned([quiet], { sampleRate: 16_000, ...(gain === false && { gain }) })) {
      if (gain === false)
        expect(
          furthest(
            block.samples,
            quiet.subarray(block.startSample, block.startSample + block.samples.length),
          ),
        ).toBe(0);
      heard.push(...block.activity);
    }
    return heard;
  };
  expect(await verdicts(false)).toEqual(await verdicts(undefined));
});
