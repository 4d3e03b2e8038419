import { expect, test } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/engine/events.ts';
import { WindowMaker } from '../../src/engine/windows.ts';
import { noiseAt } from '../signal/speech.ts';

const SECOND = 16_000;

/** A room through a day: hiss and hum over a rumble that comes and goes, louder from minute to minute and quieter again. */
function* room(minutes: number): Generator<Float32Array> {
  let rumble = 0;
  for (let second = 0; second < minutes * 60; second++) {
    const levelDb = -62 + 8 * Math.sin((2 * Math.PI * second) / 240);
    const hiss = noiseAt(levelDb, SECOND, second + 1);
    yield hiss.map((x, i) => {
      rumble = 0.995 * rumble + 0.1 * x;
      const hum =
        0.002 * Math.sin((2 * Math.PI * 50 * i) / SECOND) +
        0.0005 * Math.sin((2 * Math.PI * 150 * i) / SECOND);
      return x + 3 * rumble + hum;
    });
  }
}

test('ten minutes of a room in which nobody speaks give nothing to read', () => {
  const maker = new WindowMaker({ ...DEFAULT_OPTIONS, live: true });
  let startSample = 0;
  let windows = 0;
  for (const samples of room(10)) {
    windows += maker.push({ startSample, samples }).length;
    if (maker.open() !== undefined) windows++;
    startSample += samples.length;
  }
  expect(windows + maker.end().length).toBe(0);
}, 300_000);
