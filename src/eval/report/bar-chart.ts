// Bars per scene or language, one per engine, with whiskers for the 95 % interval.

import { colorClass, niceTop, tickText, ticks } from './line-chart.ts';
import { type Markup, html } from './markup.ts';

export interface Bar {
  readonly engine: string;
  readonly place: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

export interface BarGroup {
  readonly name: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LEFT = 210;
const RIGHT = 76;
const BAR = 14;
const GAP = 14;
const TOP = 8;
const BOTTOM = 30;

export function barChart(title: string, groups: readonly BarGroup[]): Markup {
  const top = niceTop(Math.max(...groups.flatMap(({ bars }) => bars.map(({ high }) => high))));
  const across = (rate: number): number => LEFT + (Math.min(rate, top) / top) * (WIDTH - LEFT - RIGHT);
  let y = TOP;
  const rows = groups.map(({ name, bars }) => {
    const start = y;
    y += bars.length * BAR + GAP;
    return html`<text
        class="label"
        x="${LEFT - 10}"
        y="${start + (bars.length * BAR) / 2 + 4}"
        text-anchor="end"
        >${name}</text
      >
      ${bars.map((bar, i) => drawBar(bar, start + i * BAR, across, `${name}, ${bar.engine}`))}`;
  });
  const height = y + BOTTOM;
  const grid = ticks(top).map(
    (rate) =>
      html`<line class="grid" x1="${across(rate)}" x2="${across(rate)}" y1="${TOP}" y2="${y}" />
        <text class="tick" x="${across(rate)}" y="${y + 16}" text-anchor="middle">${tickText(rate)}</text>`,
  );
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">${grid}${rows}</svg>`;
}

function drawBar(
  { place, rate, low, high }: Bar,
  y: number,
  across: (rate: number) => number,
  label: string,
): Markup {
  if (Number.isNaN(rate)) return html``;
  const middle = y + BAR / 2;
  return html`<rect
      class="bar ${colorClass(place)}"
      x="${across(0)}"
      y="${y + 1}"
      width="${Math.max(1, across(rate) - across(0))}"
      height="${BAR - 3}"
    >
      <title>${label}: ${tickText(rate, 1)}</title>
    </rect>
    <line class="whisker" x1="${across(low)}" x2="${across(high)}" y1="${middle}" y2="${middle}" />
    <text class="tick" x="${across(Math.max(rate, high)) + 6}" y="${middle + 4}">${tickText(rate, 1)}</text>`;
}
