import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AudioWindow,
  FILE_SEGMENTS,
  Segmenter,
  type SegmenterOptions,
  type VoiceFrame,
} from '../../src/engine/segmenter.ts';
import { HOP_SAMPLES, SAMPLE_RATE, WINDOW_SAMPLES } from '../../src/signal/units.ts';

/** A recording drawn as [seconds, loud or quiet]…; its samples count themselves, so that cuts can be checked. */
function recording(...parts: [seconds: number, speech: boolean][]): {
  samples: Float32Array;
  frames: VoiceFrame[];
} {
  const frames = parts.flatMap(([seconds, speech]) =>
    Array.from({ length: Math.round(seconds * 100) }, (): VoiceFrame => ({
      levelDb: speech ? -30 : -70,
      speech,
    })),
  );
  return { samples: Float32Array.from({ length: frames.length * HOP_SAMPLES }, (_, i) => i), frames };
}

function segment(
  { samples, frames }: ReturnType<typeof recording>,
  options: SegmenterOptions = FILE_SEGMENTS,
  blockSamples = 4096,
  lagFrames = 0,
): AudioWindow[] {
  const segmenter = new Segmenter(options);
  const windows: AudioWindow[] = [];
  let given = 0;
  for (let at = 0; at < samples.length; at += blockSamples) {
    const block = samples.subarray(at, at + blockSamples);
    const known = Math.max(given, Math.floor((at + block.length) / HOP_SAMPLES) - lagFrames);
    windows.push(...segmenter.push({ startSample: at, samples: block }, frames.slice(given, known)));
    given = known;
  }
  windows.push(
    ...segmenter.push({ startSample: samples.length, samples: new Float32Array(0) }, frames.slice(given)),
  );
  return [...windows, ...segmenter.end()];
}

const seconds = (samples: number): number => samples / SAMPLE_RATE;

test('silence gives no window', () => {
  expect(segment(recording([90, false]))).toEqual([]);
});

test('a short recording is one window from just before its speech to just after it', () => {
  const [window, ...more] = segment(recording([2, false], [1, true], [2, false]));
  expect(more).toEqual([]);
  expect(seconds(window!.startSample)).toBeCloseTo(1.75);
  expect(seconds(window!.startSample + window!.samples.length)).toBeCloseTo(3.3);
  expect(window!.utterances).toEqual([
    { startSample: window!.startSample, endSample: window!.startSample + window!.samples.length },
  ]);
});

test('half a second of speech is enough', () => {
  expect(segment(recording([0.5, true]))).toHaveLength(1);
});

test('windows carry the samples they claim', () => {
  for (const { startSample, samples } of segment(recording([20, true], [1, false], [20, true], [1, false]))) {
    expect(samples[0]).toBe(startSample);
    expect(samples.at(-1)).toBe(startSample + samples.length - 1);
  }
});

test('a long recording is cut in a pause, not in speech', () => {
  const speech: [number, boolean][] = [[8, true], [0.4, false], [9, true], [0.6, false], [9, true], [0.3, false], [9, true]]; // prettier-ignore
  const windows = segment(recording(...speech));
  expect(windows.length).toBeGreaterThan(1);
  // The third pause is at 27.0–27.3 s, the last one before 30 s.
  expect(seconds(windows[1]!.startSample)).toBeGreaterThan(26.9);
  expect(seconds(windows[1]!.startSample)).toBeLessThan(27.4);
});

test('speech without any pause is cut where it is quietest', () => {
  const drawn = recording([70, true]);
  for (let i = 2400; i < 2440; i++) drawn.frames[i] = { levelDb: -45, speech: true };
  const [first] = segment(drawn);
  expect(seconds(first!.samples.length)).toBeGreaterThan(24);
  expect(seconds(first!.samples.length)).toBeLessThan(24.4);
});

test('a long pause closes the window', () => {
  const windows = segment(recording([2, true], [6, false], [2, true]));
  expect(windows.map(({ startSample }) => Math.round(seconds(startSample)))).toEqual([0, 8]);
});

test('pauses of half a second divide utterances, shorter ones do not', () => {
  const [window] = segment(recording([1, true], [0.3, false], [1, true], [0.8, false], [1, true]));
  expect(window!.utterances).toHaveLength(2);
  const [first, second] = window!.utterances;
  expect(first!.endSample).toBeLessThanOrEqual(second!.startSample);
});

test('without voice detection nothing is left out', () => {
  const drawn = recording([12, false], [1, true], [50, false]);
  const windows = segment(drawn, { ...FILE_SEGMENTS, voiceDetection: false });
  let at = 0;
  for (const window of windows) {
    expect(window.startSample).toBe(at);
    at += window.samples.length;
  }
  expect(at).toBe(drawn.samples.length);
});

const drawn = fc.array(fc.tuple(fc.integer({ min: 1, max: 1500 }), fc.boolean()), {
  minLength: 1,
  maxLength: 12,
});

test('however a recording is drawn and cut into blocks: windows are in order, short enough, and miss no speech', () => {
  fc.assert(
    fc.property(
      drawn,
      fc.integer({ min: 800, max: 60_000 }),
      fc.integer({ min: 0, max: 40 }),
      (parts, block, lag) => {
        const picture = recording(
          ...parts.map(([frames, speech]): [number, boolean] => [frames / 100, speech]),
        );
        const windows = segment(picture, FILE_SEGMENTS, block, lag);
        let end = 0;
        const covered = new Uint8Array(picture.frames.length + 1);
        for (const window of windows) {
          expect(window.samples.length).toBeLessThanOrEqual(WINDOW_SAMPLES);
          expect(window.startSample).toBeGreaterThanOrEqual(end);
          end = window.startSample + window.samples.length;
          for (const { startSample, endSample } of window.utterances) {
            expect(startSample).toBeGreaterThanOrEqual(window.startSample);
            expect(endSample).toBeLessThanOrEqual(end);
            covered.fill(1, Math.floor(startSample / HOP_SAMPLES), Math.ceil(endSample / HOP_SAMPLES));
          }
        }
        picture.frames.forEach((frame, i) => {
          if (frame.speech) expect(covered[i], `frame ${i} is read`).toBe(1);
        });
      },
    ),
    { numRuns: 40 },
  );
});

test('the same windows come out whatever the blocks', () => {
  const picture = recording(
    [3, false],
    [14, true],
    [0.7, false],
    [25, true],
    [7, false],
    [3, true],
    [1, false],
  );
  const outline = (blockSamples: number): object[] =>
    segment(picture, FILE_SEGMENTS, blockSamples).map(({ startSample, samples, utterances }) => {
      return { startSample, first: samples[0], last: samples.at(-1), length: samples.length, utterances };
    });
  const expected = outline(4096);
  expect(expected).toHaveLength(3);
  for (const block of [480, 1000, 16_000, 1_000_000]) expect(outline(block)).toEqual(expected);
});
