import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { FrontEnd } from '../../src/signal/front-end.ts';
import { LIVE_LOOK_AHEAD_HOPS } from '../../src/signal/gain.ts';
import { Resampler } from '../../src/signal/resample.ts';
import {
  blockOf,
  type FromCapture,
  type FromMicrophone,
  type SoundPort,
  type ToJournal,
} from '../../src/wire/capture-messages.ts';
import { Recorder } from '../../workers/audio/recorder.ts';
import { bytesPerCall } from '../signal/allocation.ts';
import { concat, furthest, inBlocks, whiteNoise } from '../signal/signals.ts';
import { scene } from '../signal/speech.ts';

const MEL_BINS = 128;

/** A port that remembers what was posted and gives buffers back at once, as a quick reader does. */
class EagerPort implements SoundPort {
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  readonly heard: unknown[] = [];
  readonly #keep: boolean;

  constructor(keep = true) {
    this.#keep = keep;
  }

  postMessage(message: unknown): void {
    if (this.#keep) this.heard.push(structuredClone(message));
    const { numbers, samples } = message as { numbers?: unknown; samples?: unknown };
    if (numbers !== undefined) this.onmessage?.({ data: numbers });
    else if (samples instanceof Int16Array) this.onmessage?.({ data: samples });
  }

  close(): void {}
}

const quiet = scene('english', -50, -80).samples.subarray(0, 40_000);
const device = atDevice(quiet, 48_000);

function atDevice(samples: Float32Array, rate: number): Float32Array {
  const up = new Resampler(16_000, rate);
  const out = new Float32Array(up.maxOutputs(samples.length));
  const made = up.push(samples, out);
  const rest = new Float32Array(up.maxOutputs(0));
  return concat(out.subarray(0, made), rest.subarray(0, up.finish(rest)));
}

function start(keep = true): {
  recorder: Recorder;
  sound: EagerPort;
  journal: EagerPort;
  told: FromCapture[];
} {
  const [sound, journal] = [new EagerPort(keep), new EagerPort(keep)];
  const told: FromCapture[] = [];
  const tell = (message: FromCapture): void => void (keep && told.push(message));
  const options = { sampleRate: 48_000, gain: true, melBins: MEL_BINS };
  return { recorder: new Recorder({ sound, journal, tell }, options), sound, journal, told };
}

function blocks(sound: EagerPort): ReturnType<typeof blockOf>[] {
  return (sound.heard as FromMicrophone[]).flatMap((message) =>
    message.type === 'sound' ? [blockOf(message)] : [],
  );
}

function journalled(journal: EagerPort): Float32Array {
  const slices = journal.heard as ToJournal[];
  let next = 0;
  return concat(
    ...slices.flatMap((slice) => {
      if (slice.type === 'end') return [];
      expect(slice.startSample).toBe(next);
      next += slice.count;
      return [Float32Array.from(slice.samples.subarray(0, slice.count), (x) => x / 32_768)];
    }),
  );
}

test('what is sent in packets is what the chain makes of the whole recording: samples, frames, verdicts', () => {
  const { recorder, sound, journal, told } = start();
  for (const quantum of inBlocks(device, [128])) recorder.hear([quantum]);
  recorder.stop();

  const heard: boolean[] = [];
  const chain = new FrontEnd({
    ...{ sampleRate: 48_000, maxBlockSamples: device.length, melBins: MEL_BINS },
    gain: { lookAheadHops: LIVE_LOOK_AHEAD_HOPS, onActivity: ({ speech }) => heard.push(speech) },
  });
  const take = ({
    samples,
    sampleCount,
    logMel,
    frameCount,
    recorded,
    recordedCount,
  }: ReturnType<FrontEnd['push']>) => ({
    samples: samples.slice(0, sampleCount),
    logMel: logMel.slice(0, frameCount * MEL_BINS),
    recorded: recorded.slice(0, recordedCount),
  });
  const [body, rest] = [take(chain.push(device)), take(chain.finish())];

  const packets = blocks(sound);
  let [nextSample, nextFrame] = [0, 0];
  for (const { startSample, samples, firstFrame, logMel } of packets) {
    expect([startSample, firstFrame]).toEqual([nextSample, nextFrame]);
    nextSample += samples.length;
    nextFrame += logMel.length / MEL_BINS;
  }
  expect(furthest(concat(...packets.map((p) => p.samples)), concat(body.samples, rest.samples))).toBe(0);
  expect(furthest(concat(...packets.map((p) => p.logMel)), concat(body.logMel, rest.logMel))).toBe(0);
  expect(packets.flatMap((p) => p.activity.map(({ speech }) => speech))).toEqual(heard);
  expect(sound.heard.at(-1)).toEqual({ type: 'end', samples: quiet.length });

  const recorded = concat(body.recorded, rest.recorded);
  expect(furthest(journalled(journal), recorded)).toBeLessThanOrEqual(0.5 / 32_768 + 1e-9);
  expect(journal.heard.at(-1)).toEqual({ type: 'end', samples: quiet.length });
  expect(told.at(-1)).toEqual({ type: 'stopped', recordedSamples: quiet.length });
});

test('a pause is silence in the recording, long enough to end the words before it', () => {
  const { recorder, sound, journal } = start();
  const half = device.length / 2;
  for (const quantum of inBlocks(device.subarray(0, half), [128])) recorder.hear([quantum]);
  recorder.pause();
  recorder.hear([whiteNoise(128, 0.5)]); // nobody listens
  recorder.resume();
  for (const quantum of inBlocks(device.subarray(half), [128])) recorder.hear([quantum]);
  recorder.stop();
  const kept = journalled(journal);
  expect(kept.length).toBeGreaterThan(quiet.length + 1.1 * 16_000);
  expect(blocks(sound).reduce((sum, { samples }) => sum + samples.length, 0)).toBe(kept.length);
  const silence = kept.subarray(half / 3 + 200, half / 3 + 16_000);
  expect(silence.every((x) => x === 0)).toBe(true);
});

test('two channels are heard as their mean', () => {
  const one = start();
  const two = start();
  for (const quantum of inBlocks(device.subarray(0, 9600), [128])) {
    one.recorder.hear([quantum]);
    two.recorder.hear([quantum.map((x) => 2 * x), new Float32Array(quantum.length)]);
  }
  one.recorder.stop();
  two.recorder.stop();
  expect(furthest(journalled(two.journal), journalled(one.journal))).toBe(0);
});

test('levels tell how loud it is, by how much it is lifted, and that nothing was lost', () => {
  const { recorder, told } = start();
  for (const quantum of inBlocks(device, [128])) recorder.hear([quantum]);
  const levels = told.filter((message) => message.type === 'level');
  expect(levels.length).toBeGreaterThan(20);
  const spoken = levels.filter(({ speech }) => speech);
  expect(spoken.length).toBeGreaterThan(5);
  expect(Math.max(...spoken.map(({ gainDb }) => gainDb))).toBeGreaterThan(15);
  expect(Math.max(...levels.map(({ levelDb }) => levelDb))).toBeGreaterThan(-50);
  const last = levels.at(-1)!;
  expect(device.length - last.deviceSamples).toBeLessThan(4800 + 128);
  expect(Math.abs(last.recordedSamples - last.deviceSamples / 3)).toBeLessThan(100);
});

test('a quantum costs no allocation but for the messages, ten times a second', () => {
  const { recorder } = start(false);
  const quantum = [whiteNoise(128, 0.01)];
  // A packet, a slice and a level cost a few hundred bytes per 37 quanta; a buffer per packet would be 230 per quantum.
  expect(bytesPerCall(() => recorder.hear(quantum), 4000, 90)).toBeLessThan(90);
});

test('through real ports nothing is lost while nobody reads, and buffers come back', async () => {
  const { port1, port2 } = new MessageChannel();
  const journal = new EagerPort();
  const asPort = (port: MessagePort): SoundPort => port as unknown as SoundPort;
  const recorder = new Recorder(
    { sound: asPort(port1), journal, tell: () => undefined },
    { sampleRate: 16_000, gain: true, melBins: MEL_BINS },
  );
  for (const quantum of inBlocks(quiet, [128])) recorder.hear([quantum]);
  recorder.stop();
  const { PortAudio } = await import('../../src/platform/thread/port-audio.ts');
  let samples = 0;
  for await (const block of new PortAudio(asPort(port2))) {
    expect(block.startSample).toBe(samples);
    samples += block.samples.length;
  }
  expect(samples).toBe(quiet.length);
  port1.close();
});
