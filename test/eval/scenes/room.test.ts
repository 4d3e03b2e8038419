import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Point, type Room, drawRoom, roomResponse } from '../../../src/eval/scenes/room.ts';
import { SeededRandom } from '../../../src/eval/seeded-random.ts';
import { SAMPLE_RATE } from '../../../src/signal/units.ts';
import { decibels, rms } from './measures.ts';

test('its response is that of an independent implementation', () => {
  const path = new URL('../../fixtures/goldens/room.json', import.meta.url);
  const golden = JSON.parse(readFileSync(path, 'utf8')) as {
    sizeMeters: Point;
    speaker: Point;
    microphone: Point;
    reflection: number;
    step: number;
    response: number[];
  };
  const [x, y, z] = golden.sizeMeters;
  const surface = 2 * (x * y + x * z + y * z);
  const decaySeconds = (-24 * Math.LN10 * x * y * z) / (343 * surface * 2 * Math.log(golden.reflection));
  const response = roomResponse({ ...golden, decaySeconds }, SAMPLE_RATE);
  const ours = golden.response.map((_, i) => response[i * golden.step]!);
  const difference = Float64Array.from(golden.response, (value, i) => value - ours[i]!);
  expect(decibels(rms(difference) / rms(Float64Array.from(ours)))).toBeLessThan(-35);
});

const rooms: Room[] = [...'abcdefgh'].map((name) => drawRoom(new SeededRandom(name), 3));

test('speaker and microphone are 3 m apart and inside', () => {
  for (const { sizeMeters, speaker, microphone } of rooms) {
    const way = Math.hypot(...speaker.map((at, axis) => at - microphone[axis]!));
    expect(way).toBeCloseTo(3, 10);
    for (const point of [speaker, microphone]) {
      point.forEach((at, axis) => {
        expect(at).toBeGreaterThan(0.3);
        expect(at).toBeLessThan(sizeMeters[axis]! - 0.3);
      });
    }
  }
});

test('the first sound comes after 3 m of way, and the rest dies away in about the time asked for', () => {
  for (const room of rooms) {
    const response = roomResponse(room, SAMPLE_RATE);
    const arrival = (3 / 343) * SAMPLE_RATE; // 139.9 samples
    const before = response.slice(0, Math.floor(arrival) - 45);
    expect(rms(before)).toBeLessThan(1e-6);
    expect(Math.abs(response[Math.round(arrival)]!)).toBeGreaterThan(0.9 / (4 * Math.PI * 3));
    // Flat rooms with equal walls decay more slowly than Eyring's diffuse sound: up to a third.
    expect(decaySeconds(response) / room.decaySeconds).toBeGreaterThan(0.9);
    expect(decaySeconds(response) / room.decaySeconds).toBeLessThan(1.4);
  }
});

/** From −5 to −25 dB of the energy still to come (Schroeder), times three. */
function decaySeconds(response: Float64Array): number {
  const left = Float64Array.from(response);
  for (let i = left.length - 2, sum = 0; i >= 0; i--) left[i] = sum += response[i]! ** 2;
  const reach = (fall: number): number => left.findIndex((x) => 10 * Math.log10(x / left[0]!) < fall);
  return (3 * (reach(-25) - reach(-5))) / SAMPLE_RATE;
}
