import { describe, expect, test } from 'vitest';
import { type Activity, ACTIVITY_LAG_HOPS, ActivityDetector } from '../../src/signal/activity.ts';
import { LevelMeter, SILENCE_DB } from '../../src/signal/level.ts';
import { NoiseFloor } from '../../src/signal/noise-floor.ts';
import { Periodicity } from '../../src/signal/periodicity.ts';
import { BOXED_NUMBER_BYTES, bytesPerCall } from './allocation.ts';
import { haveRecordings, recording } from './recordings.ts';
import { atLevel, concat, inBlocks, mix, sine, whiteNoise } from './signals.ts';
import { noiseAt, scene, UTTERANCES, utterance } from './speech.ts';

function detect(samples: Float32Array, blockSizes = [samples.length]): Activity[] {
  const verdicts: Activity[] = [];
  const detector = new ActivityDetector((activity) => verdicts.push({ ...activity }));
  for (const block of inBlocks(samples, blockSizes)) detector.push(block);
  detector.finish();
  return verdicts;
}

const speechHops = (verdicts: readonly Activity[], from = 0, to = verdicts.length): number =>
  verdicts.slice(from, to).filter((v) => v.speech).length;

/** Hops in which the utterance itself sounds: within 30 dB of its loudest hop. */
function spokenHops(name: (typeof UTTERANCES)[number]): number[] {
  const samples = utterance(name);
  const meter = new LevelMeter();
  const levels: number[] = [];
  for (let at = 0; at + 160 <= samples.length; at += 160) {
    levels.push(meter.measure(samples.subarray(at, at + 160)).speechDb);
  }
  const loudest = Math.max(...levels);
  return levels.flatMap((db, hop) => (db > loudest - 30 ? [hop] : []));
}

describe('speech is found', () => {
  const rooms: [speechDb: number, noiseDb: number][] = [
    [-20, -60],
    [-40, -70],
    [-60, -80],
    [-60, -90],
  ];
  test.each(UTTERANCES.flatMap((name) => rooms.map(([s, n]) => [name, s, n] as const)))(
    '%s at %i dBFS over %i',
    (name, speechDb, noiseDb) => {
      const { samples, startSample } = scene(name, speechDb, noiseDb);
      const verdicts = detect(samples);
      const spoken = spokenHops(name).map((hop) => hop + startSample / 160);
      const kept = spoken.filter((hop) => verdicts[hop]!.speech).length / spoken.length;
      expect(kept).toBeGreaterThan(0.95);
      // A tenth of a second before and a quarter behind may be flagged, the rest of the pauses not.
      const first = spoken[0]!;
      const last = spoken.at(-1)!;
      expect(speechHops(verdicts, 0, first - 12)).toBe(0);
      expect(speechHops(verdicts, last + 40)).toBe(0);
    },
  );

  test('also where the recording begins inside a word', () => {
    const cut = scene('english', -30, -60);
    const verdicts = detect(cut.samples.subarray(cut.startSample + 2400));
    expect(speechHops(verdicts, 0, 30)).toBeGreaterThan(25);
  });

  test.each([
    [0.25, true],
    [0.5, false],
  ])('a soft place %f s behind louder speech is its going on: %s', (gapSeconds, isSpeech) => {
    const room = noiseAt(-75, 16_000 * 6, 1);
    const place = (levelDb: number, startSecond: number, seconds: number, seed: number): void =>
      noiseAt(levelDb, 16_000 * seconds, seed).forEach((x, i) => (room[16_000 * startSecond + i]! += x));
    place(-55, 3, 0.5, 2);
    place(-68.5, 3.5 + gapSeconds, 0.3, 3); // 6 to 7 dB above the room: no onset
    const verdicts = detect(room);
    const soft = 100 * (3.5 + gapSeconds);
    expect(speechHops(verdicts, soft + 5, soft + 25) > 18).toBe(isSpeech);
    expect(speechHops(verdicts, 0, 285)).toBe(0);
    expect(speechHops(verdicts, 305, 345)).toBe(40);
    // One stretch: no hop between the two is left out.
    expect(speechHops(verdicts, 345, soft) === soft - 345).toBe(isSpeech);
  });

  test('the same at any level, since only the distance to the floor counts', () => {
    const { samples } = scene('mandarin', -30, -60);
    const louder = detect(samples).map((v) => v.speech);
    const quieter = detect(samples.map((x) => x / 16)).map((v) => v.speech);
    expect(quieter).toEqual(louder);
  });
});

describe('is not called speech', () => {
  const minute = 30 * 16_000;
  test.each<[string, Float32Array]>([
    ['digital silence', new Float32Array(minute)],
    ['loud steady noise', noiseAt(-30, minute)],
    ['quiet steady noise', noiseAt(-70, minute)],
    ['the rounding of 16 bits', noiseAt(-99, minute).map((x) => Math.round(x * 32_768) / 32_768)],
    ['mains hum', mix(sine(50, minute, 0.05), noiseAt(-65, minute))],
    ['brown noise', brown(minute)],
  ])('%s', (_, samples) => {
    expect(speechHops(detect(samples))).toBe(0);
  });

  test('a click', () => {
    const samples = noiseAt(-60, 4 * 16_000);
    for (let i = 0; i < 200; i++) samples[32_000 + i] = 0.5 * (-1) ** i;
    expect(speechHops(detect(samples))).toBe(0);
  });

  test('a fan that is switched on, once it has run for a second or two', () => {
    const samples = concat(noiseAt(-70, 3 * 16_000), noiseAt(-40, 6 * 16_000));
    expect(speechHops(detect(samples), 3 * 100 + 150)).toBe(0);
  });
});

function brown(samples: number): Float32Array {
  let sum = 0;
  return atLevel(
    noiseAt(0, samples).map((x) => (sum = 0.998 * sum + x)),
    -40,
  );
}

test('every hop has its verdict, in order, with level and floor', () => {
  const { samples, startSample, endSample } = scene('english', -30, -60);
  const verdicts = detect(samples);
  expect(verdicts.map((v) => v.hop)).toEqual(
    Array.from({ length: Math.ceil(samples.length / 160) }, (_, i) => i),
  );
  // White noise has a third of its power in the speech band.
  expect(verdicts[90]!.levelDb).toBeGreaterThan(-70);
  expect(verdicts[90]!.levelDb).toBeLessThan(-60);
  for (const { floorDb } of verdicts.slice(startSample / 160, endSample / 160)) {
    expect(Math.abs(floorDb - -65)).toBeLessThan(3);
  }
});

test('blocks’ sizes do not matter', () => {
  const { samples } = scene('cantonese', -50, -75);
  const whole = detect(samples);
  expect(detect(samples, [128])).toEqual(whole);
  expect(detect(samples, [1, 999, 160])).toEqual(whole);
});

test('verdicts run a fixed time behind the sound', () => {
  let told = 0;
  const detector = new ActivityDetector(() => told++);
  for (let hop = 1; hop <= 200; hop++) {
    detector.push(noiseAt(-60, 160, hop));
    expect(told).toBe(Math.max(hop - ACTIVITY_LAG_HOPS, 0));
  }
});

test('costs no allocation per block', () => {
  const detector = new ActivityDetector(() => undefined);
  const block = whiteNoise(43, 0.1);
  // Here and there a level is boxed, where the compiler is kept from finishing its work.
  const few = 2 * BOXED_NUMBER_BYTES;
  expect(bytesPerCall(() => detector.push(block), 5000, few)).toBeLessThan(few);
});

test('the meter gives levels of known sounds', () => {
  const meter = new LevelMeter();
  const tone = sine(1000, 16_000, 0.1);
  let level = meter.measure(tone.subarray(0, 160));
  for (let at = 160; at < 8000; at += 160) level = meter.measure(tone.subarray(at, at + 160));
  expect(level.peak).toBeCloseTo(0.1, 4);
  expect(level.levelDb).toBeCloseTo(-23.01, 1);
  expect(level.speechDb).toBeCloseTo(-23.1, 0);
  // Hum and hiss are outside of the speech band.
  const outside = (hz: number): number => {
    const m = new LevelMeter();
    const x = sine(hz, 16_000, 0.1);
    let db = 0;
    for (let at = 0; at < 8000; at += 160) db = m.measure(x.subarray(at, at + 160)).speechDb;
    return db;
  };
  expect(outside(50)).toBeLessThan(-50);
  expect(outside(7000)).toBeLessThan(-36);
  expect(new LevelMeter().measure(new Float32Array(160))).toMatchObject({ peak: 0, levelDb: SILENCE_DB });
});

test('the floor is unknown at first, then follows the quietest, and forgets it in seconds', () => {
  const floor = new NoiseFloor();
  const follow = (db: number, hops: number): void => {
    for (let i = 0; i < hops; i++) floor.follow(db + 4 * Math.sin(i * 1.7));
  };
  expect(floor.known).toBe(false);
  follow(-60, 100);
  expect(floor.known).toBe(true);
  expect(Math.abs(floor.floorDb - -60)).toBeLessThan(3);
  follow(-30, 100);
  expect(floor.floorDb).toBeLessThan(-55);
  follow(-30, 350);
  expect(Math.abs(floor.floorDb - -30)).toBeLessThan(3);
  follow(-120, 500); // muted: says nothing
  expect(Math.abs(floor.floorDb - -30)).toBeLessThan(3);
});

test('voices are periodic at any level; noise and whispers are not', () => {
  const likeness = (samples: Float32Array): number => {
    const periodicity = new Periodicity();
    let [sum, count] = [0, 0];
    for (let at = 0; at + 160 <= samples.length; at += 160) {
      periodicity.hear(samples.subarray(at, at + 160));
      if (at > 1600) [sum, count] = [sum + periodicity.likeness, count + 1];
    }
    return sum / count;
  };
  const buzz = sine(0, 8000);
  for (let harmonic = 1; harmonic < 20; harmonic++) {
    sine(120 * harmonic, 8000, 0.1 / harmonic).forEach((x, i) => (buzz[i] = buzz[i]! + x));
  }
  expect(likeness(buzz)).toBeGreaterThan(0.95);
  expect(likeness(buzz.map((x) => x * 1e-4))).toBeGreaterThan(0.95);
  expect(likeness(noiseAt(-20, 8000))).toBeLessThan(0.5);
  expect(likeness(new Float32Array(8000))).toBe(0);
});

describe.skipIf(!haveRecordings)('real recordings', () => {
  test('the official quiet clip (−58.6 dBFS) is heard', () => {
    const verdicts = detect(recording('zh/glm_example_zh.wav').samples);
    expect(speechHops(verdicts) / verdicts.length).toBeGreaterThan(0.55);
  });

  test('a silent room is silent', () => {
    for (const name of ['silence', 'digital_silence', 'almost_silent']) {
      expect(speechHops(detect(recording(`nonspeech/${name}.wav`).samples))).toBe(0);
    }
  });

  test('jfk pauses where he pauses', () => {
    const verdicts = detect(recording('en/jfk_16k.wav').samples);
    const pauses = verdicts.filter((v, i) => !v.speech && verdicts[i - 1]?.speech).length;
    expect(pauses).toBeGreaterThanOrEqual(3);
    expect(speechHops(verdicts) / verdicts.length).toBeGreaterThan(0.6);
  });
});
