// The laboratory's drawings: one canvas each, time from left to right.

import { SAMPLE_RATE } from '../../signal/units.ts';
import type { Sight } from './sight.ts';

export interface Paper {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly pixelsPerSecond: number;
  readonly colors: Colors;
}

export interface Colors {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly accent: string;
  readonly wash: string;
  readonly paper: string;
}

const HOPS_PER_SECOND = 100;

/** The colors that the page has now, as a canvas takes them. */
export function colorsOf(element: HTMLElement): Colors {
  const before = element.style.color;
  const read = (name: string): string => {
    element.style.color = `var(--${name})`;
    return getComputedStyle(element).color;
  };
  const colors = {
    ...{ ink: read('ink'), soft: read('edge'), line: read('line') },
    ...{ accent: read('accent'), wash: read('wash'), paper: read('paper') },
  };
  element.style.color = before;
  return colors;
}

/** The sound as it came, and behind it as it was after the gain; the louder of them fills the track. */
export function drawSound({ context, width, height, pixelsPerSecond, colors }: Paper, sight: Sight): void {
  const peaks = peaksOf(sight.sound(), SAMPLE_RATE / pixelsPerSecond);
  const lifted = peaks.map((peak, x) => {
    const gainDb = sight.gainDb[Math.floor((x / pixelsPerSecond) * HOPS_PER_SECOND)] ?? 0;
    return peak * 10 ** (gainDb / 20);
  });
  const loudest = lifted.reduce((most, peak) => Math.max(most, peak), 1e-3);
  const bars = (color: string, heights: readonly number[]): void => {
    context.fillStyle = color;
    for (const [x, peak] of heights.entries()) {
      const half = Math.min(1, peak / loudest) * (height / 2 - 1);
      if (x < width) context.fillRect(x, height / 2 - half, 1, Math.max(1, 2 * half));
    }
  };
  context.globalAlpha = 0.35;
  bars(colors.accent, lifted);
  context.globalAlpha = 1;
  bars(colors.ink, peaks);
}

/** The largest sample under each pixel. */
function peaksOf(samples: Float32Array, samplesPerPixel: number): number[] {
  return Array.from({ length: Math.ceil(samples.length / samplesPerPixel) }, (_, x) => {
    let peak = 0;
    const end = Math.min(samples.length, (x + 1) * samplesPerPixel);
    for (let at = Math.floor(x * samplesPerPixel); at < end; at++)
      peak = Math.max(peak, Math.abs(samples[at] ?? 0));
    return peak;
  });
}

/** Gain in dB, 0 at the bottom. */
export function drawGain(paper: Paper, { gainDb }: Sight): void {
  drawLine(paper, gainDb, (db) => db / 45, paper.colors.accent);
}

/** The level of the speech band, on a ground that shows where somebody speaks. */
export function drawVoice(paper: Paper, { levelDb, speech }: Sight): void {
  const { context, height, pixelsPerSecond, colors } = paper;
  context.fillStyle = colors.wash;
  for (let start = 0; start < speech.length; start++) {
    if (!speech[start]) continue;
    let end = start;
    while (speech[end]) end++;
    const left = (start / HOPS_PER_SECOND) * pixelsPerSecond;
    context.fillRect(left, 0, ((end - start) / HOPS_PER_SECOND) * pixelsPerSecond, height);
    start = end;
  }
  drawLine(paper, levelDb, (db) => (db + 90) / 90, colors.ink);
}

/** What the model sees: bands from low to high, the louder the darker. */
export function drawMel({ context, height, pixelsPerSecond, colors }: Paper, { mels }: Sight): void {
  const [red, green, blue] = numbersOf(colors.ink);
  for (const { startSeconds, melBins, frames, picture } of mels) {
    const image = new ImageData(frames, melBins);
    for (let frame = 0; frame < frames; frame++) {
      for (let band = 0; band < melBins; band++) {
        const shade = picture[frame * melBins + band] ?? 0;
        image.data.set([red, green, blue, shade], 4 * ((melBins - 1 - band) * frames + frame));
      }
    }
    const bitmap = new OffscreenCanvas(frames, melBins);
    bitmap.getContext('2d')?.putImageData(image, 0, 0);
    const left = startSeconds * pixelsPerSecond;
    const width = (frames / HOPS_PER_SECOND) * pixelsPerSecond;
    context.clearRect(left, 0, width, height);
    context.drawImage(bitmap, left, 0, width, height);
  }
}

/** One value per hop; `share` puts it between 0 (bottom) and 1 (top). */
function drawLine(
  { context, height, pixelsPerSecond }: Paper,
  values: readonly number[],
  share: (value: number) => number,
  color: string,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  values.forEach((value, hop) => {
    const y = (1 - Math.max(0, Math.min(1, share(value)))) * (height - 2) + 1;
    context.lineTo((hop / HOPS_PER_SECOND) * pixelsPerSecond, y);
  });
  context.stroke();
}

/** 'rgb(36, 30, 23)' → [36, 30, 23] */
function numbersOf(color: string): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}
