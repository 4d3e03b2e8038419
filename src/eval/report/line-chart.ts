// Curves with bands: error against level, a line per engine.

import { type Markup, html } from './markup.ts';

export interface CurvePoint {
  readonly x: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

export interface Curve {
  readonly name: string;
  /** Which color and dash: place among the engines. */
  readonly place: number;
  readonly points: readonly CurvePoint[];
}

export interface LineChart {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** True: the largest x stands to the left (levels, louder to softer). */
  readonly falling: boolean;
  readonly curves: readonly Curve[];
}

const WIDTH = 760;
const HEIGHT = 340;
const LEFT = 64;
const RIGHT = 20;
const TOP = 16;
const BOTTOM = 52;

export function lineChart({ title, xTitle, yTitle, falling, curves }: LineChart): Markup {
  const xs = [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const top = niceTop(Math.max(...curves.flatMap(({ points }) => points.map(({ high }) => high))));
  const [least, most] = [xs[0] ?? 0, xs.at(-1) ?? 0];
  const across = (x: number): number => {
    const share = most === least ? 0.5 : (x - least) / (most - least);
    return LEFT + (falling ? 1 - share : share) * (WIDTH - LEFT - RIGHT);
  };
  const up = (rate: number): number => HEIGHT - BOTTOM - (rate / top) * (HEIGHT - TOP - BOTTOM);
  const grid = ticks(top).map(
    (rate) =>
      html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up(rate)}" y2="${up(rate)}" />
        <text class="tick" x="${LEFT - 8}" y="${up(rate) + 4}" text-anchor="end">${tickText(rate)}</text>`,
  );
  const labels = xs.map(
    (x) =>
      html`<text class="tick" x="${across(x)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle"
        >${minus(x)}</text
      >`,
  );
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
    ${grid}${labels}
    <text class="axis" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">
      ${xTitle}
    </text>
    <text
      class="axis"
      transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"
      text-anchor="middle"
    >
      ${yTitle}
    </text>
    ${curves.map((curve) => drawCurve(curve, across, up))}
  </svg>`;
}

function drawCurve(
  { name, place, points }: Curve,
  across: (x: number) => number,
  up: (rate: number) => number,
): Markup {
  const known = points.filter(({ rate }) => !Number.isNaN(rate)).sort((a, b) => a.x - b.x);
  const path = (y: (point: CurvePoint) => number, list: readonly CurvePoint[]): string =>
    list.map((point) => `${round(across(point.x))},${round(up(y(point)))}`).join(' ');
  const band = `${path(({ high }) => high, known)} ${path(({ low }) => low, [...known].reverse())}`;
  const color = colorClass(place);
  return html`<polygon class="band ${color}" points="${band}" />
    <polyline class="curve ${color}" points="${path(({ rate }) => rate, known)}" />
    ${known.map(
      ({ x, rate }) =>
        html`<circle class="dot ${color}" cx="${round(across(x))}" cy="${round(up(rate))}" r="3.5">
          <title>${name}, ${minus(x)} dBFS: ${tickText(rate, 1)}</title>
        </circle>`,
    )}`;
}

/** Six colors and dashes; more engines begin again. */
export function colorClass(place: number): string {
  return `c${place % 6}`;
}

/** The top of the scale: at least 5 %, and a round number. */
export function niceTop(rate: number): number {
  if (!Number.isFinite(rate) || rate <= 0.05) return 0.05;
  const steps = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1];
  return steps.find((step) => rate <= step) ?? Math.ceil(rate);
}

export function ticks(top: number): number[] {
  return Array.from({ length: 6 }, (_, i) => (top * i) / 5);
}

export function tickText(rate: number, digits = 0): string {
  const text = (100 * rate).toFixed(digits);
  return `${text} %`;
}

/** With a real minus sign. */
function minus(x: number): string {
  return String(x).replace('-', '−');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
