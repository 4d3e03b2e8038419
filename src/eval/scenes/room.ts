// A speaker and a microphone in a box-shaped room: the response by the method of images.
//
// Every wall is a mirror; the mirrors' mirror images of the speaker form a lattice. Each image is heard
// after its distance over the speed of sound, at 1/(4π·distance), weaker by the walls' reflection factor
// per bounce. Sources: Allen and Berkley, JASA 65 (1979) 943; Peterson, JASA 80 (1986) 1527 (each
// impulse band-limited, so that delays between two samples are right).
//
// What it is not: walls absorb alike at all frequencies, nobody stands in the way, the voice goes out alike
// in all directions. For a measured room give its impulse response instead.

import type { SeededRandom } from '../seeded-random.ts';
import { butterworth } from './filters.ts';

const METERS_PER_SECOND = 343;

export type Point = readonly [x: number, y: number, z: number];

export interface Room {
  readonly sizeMeters: Point;
  readonly speaker: Point;
  readonly microphone: Point;
  /** Time in which the sound falls by 60 dB, by Eyring's formula. */
  readonly decaySeconds: number;
}

/** Nobody speaks into a wall. */
const WALL_MARGIN_METERS = 0.4;

/** A living room or an office: 4.5–7 m by 4–6 m by 2.4–3 m, decaying in 0.35–0.6 s, the two `distanceMeters` apart. */
export function drawRoom(random: SeededRandom, distanceMeters: number): Room {
  const sizeMeters: Point = [random.between(4.5, 7), random.between(4, 6), random.between(2.4, 3)];
  const decaySeconds = random.between(0.35, 0.6);
  for (;;) {
    const speaker = placeIn(random, sizeMeters, [1.1, 1.7]);
    const microphone = placeAround(random, speaker, distanceMeters);
    if (isInside(microphone, sizeMeters)) return { sizeMeters, speaker, microphone, decaySeconds };
  }
}

function placeIn(random: SeededRandom, [x, y]: Point, heights: readonly [number, number]): Point {
  const along = (length: number): number => random.between(WALL_MARGIN_METERS, length - WALL_MARGIN_METERS);
  return [along(x), along(y), random.between(...heights)];
}

/** A point at that distance, on a table: 0.7–1.2 m above the floor. */
function placeAround(random: SeededRandom, [x, y, z]: Point, distanceMeters: number): Point {
  const height = random.between(0.7, 1.2);
  const level = Math.sqrt(distanceMeters ** 2 - (z - height) ** 2);
  const angle = random.between(0, 2 * Math.PI);
  return [x + level * Math.cos(angle), y + level * Math.sin(angle), height];
}

function isInside(point: Point, size: Point): boolean {
  return point.every((at, axis) => at > WALL_MARGIN_METERS && at < (size[axis] ?? 0) - WALL_MARGIN_METERS);
}

/** Share of the pressure that a wall sends back, so that the room decays in its time (Eyring 1930). */
export function reflectionOf({ sizeMeters: [x, y, z], decaySeconds }: Room): number {
  const volume = x * y * z;
  const surface = 2 * (x * y + x * z + y * z);
  const absorption = 1 - Math.exp((-24 * Math.LN10 * volume) / (METERS_PER_SECOND * surface * decaySeconds));
  return Math.sqrt(1 - absorption);
}

/** The response from the moment of speaking on, until it has fallen by 60 dB. */
export function roomResponse(room: Room, sampleRate: number): Float64Array {
  const response = new Float64Array(Math.ceil(room.decaySeconds * sampleRate));
  const reflection = reflectionOf(room);
  const reachMeters = room.decaySeconds * METERS_PER_SECOND;
  const [xs, ys, zs] = [0, 1, 2].map((axis) => imagesAlong(room, axis, reachMeters));
  for (const x of xs ?? []) {
    for (const y of ys ?? []) {
      const flat = x.squared + y.squared;
      if (flat > reachMeters ** 2) continue;
      for (const z of zs ?? []) {
        const meters = Math.sqrt(flat + z.squared);
        if (meters > reachMeters) continue;
        const loudness = reflection ** (x.bounces + y.bounces + z.bounces) / (4 * Math.PI * meters);
        addImpulse(response, (meters / METERS_PER_SECOND) * sampleRate, loudness);
      }
    }
  }
  // All images have the same sign: what lies below the room's resonances is the method's own hum.
  return butterworth(response, sampleRate, 'high-pass', 50, 2);
}

/** Along one axis: the squared way to each image, and how many walls it met. */
function imagesAlong(
  room: Room,
  axis: number,
  reachMeters: number,
): { readonly squared: number; readonly bounces: number }[] {
  const [size, from, to] = [room.sizeMeters, room.speaker, room.microphone].map((point) => point[axis] ?? 0);
  const length = size ?? 1;
  const images = [];
  const most = Math.ceil(reachMeters / (2 * length)) + 1;
  for (let n = -most; n <= most; n++) {
    const straight = 2 * n * length + (from ?? 0) - (to ?? 0);
    const mirrored = 2 * n * length - (from ?? 0) - (to ?? 0);
    images.push({ squared: straight ** 2, bounces: Math.abs(2 * n) });
    images.push({ squared: mirrored ** 2, bounces: Math.abs(2 * n - 1) });
  }
  return images.filter(({ squared }) => squared <= reachMeters ** 2);
}

/** Half-width of a band-limited impulse: 2.5 ms on either side at 16 kHz. */
const HALF_WIDTH = 40;
/** Fractions of a sample that impulses are told apart by: far below a degree of phase in the speech band. */
const PHASES = 64;
const TAPS = 2 * HALF_WIDTH;

/** [phase][tap]: sinc(t − fraction) under a Hann window around the impulse. */
const IMPULSES = Array.from({ length: PHASES }, (_, phase) =>
  Float64Array.from({ length: TAPS }, (_, tap) => {
    const away = tap - HALF_WIDTH + 1 - phase / PHASES;
    const sinc = away === 0 ? 1 : Math.sin(Math.PI * away) / (Math.PI * away);
    return sinc * (0.5 + 0.5 * Math.cos((Math.PI * away) / HALF_WIDTH));
  }),
);

function addImpulse(response: Float64Array, atSample: number, loudness: number): void {
  const steps = Math.round(atSample * PHASES);
  const start = Math.floor(steps / PHASES) - HALF_WIDTH + 1;
  const impulse = IMPULSES[steps % PHASES] ?? new Float64Array();
  const from = Math.max(0, -start);
  const to = Math.min(TAPS, response.length - start);
  for (let tap = from; tap < to; tap++) {
    response[start + tap] = (response[start + tap] ?? 0) + loudness * (impulse[tap] ?? 0);
  }
}
