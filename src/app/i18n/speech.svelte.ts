// The language in use: messages and formats follow it at once, without loading the page again.

import { clock } from '../document/export.ts';
import { chooseLocale, type Locale } from './locale.ts';
import * as m from './paraglide/messages.js';
import { overwriteGetLocale } from './paraglide/runtime.js';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Speaks the reader's language. */
export class Speech {
  /** The explicit choice, if there is one. */
  wished = $state<Locale | 'auto'>('auto');
  readonly locale: Locale = $derived.by(() =>
    this.wished === 'auto' ? chooseLocale(this.#preferred) : this.wished,
  );
  readonly #preferred: readonly string[];

  constructor(preferred: readonly string[]) {
    this.#preferred = preferred;
    // Every message asks here, so whatever shows one is drawn anew when the language changes.
    overwriteGetLocale(() => this.locale);
  }

  /** `1.6 GB` */
  bytes(bytes: number): string {
    let unit = 0;
    let amount = bytes;
    while (amount >= 1000 && unit < UNITS.length - 1) [amount, unit] = [amount / 1000, unit + 1];
    return new Intl.NumberFormat(this.locale, {
      style: 'unit',
      unit: UNITS[unit] ?? 'byte',
      unitDisplay: 'short',
      maximumFractionDigits: amount < 10 && unit > 0 ? 1 : 0,
    }).format(amount);
  }

  /** `12:04` */
  clock(seconds: number): string {
    return clock(seconds);
  }

  /** `4 min`, `2 hr`: rounded, for waiting. */
  duration(seconds: number): string {
    const [amount, unit] =
      seconds < 60
        ? ([Math.max(5, Math.ceil(seconds / 5) * 5), 'second'] as const)
        : seconds < 5400
          ? ([Math.round(seconds / 60), 'minute'] as const)
          : ([Math.round(seconds / 360) / 10, 'hour'] as const);
    return new Intl.NumberFormat(this.locale, { style: 'unit', unit, unitDisplay: 'short' }).format(amount);
  }

  number(value: number, digits = 0): string {
    return new Intl.NumberFormat(this.locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
      .format(value)
      .replace('-', '−');
  }

  percent(share: number): string {
    return new Intl.NumberFormat(this.locale, { style: 'percent' }).format(share);
  }

  /** `14:05` */
  timeOfDay(ms: number): string {
    return new Intl.DateTimeFormat(this.locale, { timeStyle: 'short' }).format(ms);
  }

  dateAndTime(ms: number): string {
    return new Intl.DateTimeFormat(this.locale, { dateStyle: 'medium', timeStyle: 'short' }).format(ms);
  }

  /** `Today`, `Yesterday`, `Friday, 20 November 2026` */
  day(ms: number, nowMs: number = Date.now()): string {
    const [day, today] = [startOfDay(ms), startOfDay(nowMs)];
    const yesterday = startOfDay(today - 1);
    if (day === today) return m.library_today();
    if (day === yesterday) return m.library_yesterday();
    return new Intl.DateTimeFormat(this.locale, { dateStyle: 'full' }).format(ms);
  }
}

/** Midnight before, in local time. */
export function startOfDay(ms: number): number {
  const date = new Date(ms);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
