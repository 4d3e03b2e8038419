// What the user has chosen, kept in this browser.

import { COMPUTE_PATHS, type DeviceWish } from '../../platform/web/compute-path.ts';
import {
  PUNCTUATION_WIDTHS,
  type PunctuationWidth,
  SCRIPT_VIEWS,
  type ScriptView,
} from '../document/transcript.ts';
import { LOCALES, type Locale } from '../i18n/locale.ts';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const TEXT_SIZES = ['normal', 'large', 'larger'] as const;
export type TextSize = (typeof TEXT_SIZES)[number];

/** The sample model that ships with the page; every other id is that of a stored model. */
export const SAMPLE_MODEL = 'sample';

interface Choices {
  locale: Locale | 'auto';
  theme: Theme;
  textSize: TextSize;
  model: string;
  device: DeviceWish;
  /** Keep recordings beside their transcripts. */
  keepAudio: boolean;
  /** A click into text that is not being edited plays from there. */
  clickPlays: boolean;
  /** Single letters are shortcuts where nobody types. */
  letterKeys: boolean;
  scriptView: ScriptView;
  punctuation: PunctuationWidth;
  /** The browser's id of the microphone; empty: its default one. */
  microphone: string;
  // What the browser may do to a microphone's sound: nothing, unless the user wants it.
  echoCancellation: boolean;
  noiseSuppression: boolean;
  autoGainControl: boolean;
  /** Put what is spoken on the clipboard, sentence by sentence. */
  copyAsSpoken: boolean;
  /** “Comma”, “逗号”: written as signs. */
  spokenPunctuation: boolean;
  /** The last address that a model was fetched from. */
  mirror: string;
  /** The server that reads instead of this device; empty: this device does. */
  server: string;
  serverKey: string;
}

const DEFAULTS: Choices = {
  locale: 'auto',
  theme: 'auto',
  textSize: 'normal',
  model: SAMPLE_MODEL,
  device: 'auto',
  keepAudio: false,
  clickPlays: true,
  letterKeys: true,
  scriptView: 'as-read',
  punctuation: 'as-read',
  microphone: '',
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
  copyAsSpoken: false,
  spokenPunctuation: false,
  mirror: '',
  server: '',
  serverKey: '',
};

const KEY = 'sotto-settings';

/** Where choices are kept; a private window may refuse, then they last as long as the page. */
export interface ChoiceStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export class Settings implements Choices {
  locale = $state(DEFAULTS.locale);
  theme = $state(DEFAULTS.theme);
  textSize = $state(DEFAULTS.textSize);
  model = $state(DEFAULTS.model);
  device = $state(DEFAULTS.device);
  keepAudio = $state(DEFAULTS.keepAudio);
  clickPlays = $state(DEFAULTS.clickPlays);
  letterKeys = $state(DEFAULTS.letterKeys);
  scriptView = $state(DEFAULTS.scriptView);
  punctuation = $state(DEFAULTS.punctuation);
  microphone = $state(DEFAULTS.microphone);
  echoCancellation = $state(DEFAULTS.echoCancellation);
  noiseSuppression = $state(DEFAULTS.noiseSuppression);
  autoGainControl = $state(DEFAULTS.autoGainControl);
  copyAsSpoken = $state(DEFAULTS.copyAsSpoken);
  spokenPunctuation = $state(DEFAULTS.spokenPunctuation);
  mirror = $state(DEFAULTS.mirror);
  server = $state(DEFAULTS.server);
  serverKey = $state(DEFAULTS.serverKey);
  readonly #storage: ChoiceStorage | undefined;

  constructor(storage: ChoiceStorage | undefined) {
    this.#storage = storage;
    this.#read();
  }

  /** Keeps the choices as they stand. */
  save(): void {
    const choices = Object.fromEntries(KEYS.map((key) => [key, this[key]]));
    try {
      this.#storage?.setItem(KEY, JSON.stringify(choices));
    } catch {
      // A full or forbidden storage: the choice holds until the page is closed.
    }
  }

  #read(): void {
    let kept: Partial<Record<keyof Choices, unknown>> = {};
    try {
      kept = (JSON.parse(this.#storage?.getItem(KEY) ?? '{}') ?? {}) as typeof kept;
    } catch {
      // Not ours, or damaged: the defaults will do.
    }
    this.locale = oneOf(['auto', ...LOCALES], kept.locale, DEFAULTS.locale);
    this.theme = oneOf(THEMES, kept.theme, DEFAULTS.theme);
    this.textSize = oneOf(TEXT_SIZES, kept.textSize, DEFAULTS.textSize);
    this.model = typeof kept.model === 'string' ? kept.model : DEFAULTS.model;
    this.device = oneOf(['auto', 'webgpu', ...COMPUTE_PATHS], kept.device, DEFAULTS.device);
    this.keepAudio = kept.keepAudio === true;
    this.clickPlays = kept.clickPlays !== false;
    this.letterKeys = kept.letterKeys !== false;
    this.scriptView = oneOf(SCRIPT_VIEWS, kept.scriptView, DEFAULTS.scriptView);
    this.punctuation = oneOf(PUNCTUATION_WIDTHS, kept.punctuation, DEFAULTS.punctuation);
    this.microphone = typeof kept.microphone === 'string' ? kept.microphone : DEFAULTS.microphone;
    this.echoCancellation = kept.echoCancellation === true;
    this.noiseSuppression = kept.noiseSuppression === true;
    this.autoGainControl = kept.autoGainControl === true;
    this.copyAsSpoken = kept.copyAsSpoken === true;
    this.spokenPunctuation = kept.spokenPunctuation === true;
    this.mirror = typeof kept.mirror === 'string' ? kept.mirror : DEFAULTS.mirror;
    this.server = typeof kept.server === 'string' ? kept.server : DEFAULTS.server;
    this.serverKey = typeof kept.serverKey === 'string' ? kept.serverKey : DEFAULTS.serverKey;
  }
}

const KEYS = Object.keys(DEFAULTS) as (keyof Choices)[];

function oneOf<const T>(allowed: readonly T[], value: unknown, otherwise: NoInfer<T>): T {
  return allowed.includes(value as T) ? (value as T) : otherwise;
}
