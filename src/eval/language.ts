// Which language a clip is in: what its folder or its list says, else a guess from what is said.

/** Names that folders and lists use → ours. Mandarin and Cantonese are languages of their own here. */
const NAMES: Readonly<Record<string, string>> = {
  zh: 'zh',
  cmn: 'zh',
  mandarin: 'zh',
  chinese: 'zh',
  'zh-cn': 'zh',
  'zh-tw': 'zh',
  'zh-hans': 'zh',
  'zh-hant': 'zh',
  yue: 'yue',
  cantonese: 'yue',
  'zh-hk': 'yue',
  'zh-yue': 'yue',
  en: 'en',
  eng: 'en',
  english: 'en',
  'en-us': 'en',
  'en-gb': 'en',
};

const TITLES: Readonly<Record<string, string>> = {
  zh: 'Mandarin',
  yue: 'Cantonese',
  en: 'English',
  none: 'nothing said',
};

/** For people: 'yue' → 'Cantonese'. */
export function languageTitle(language: string): string {
  return TITLES[language] ?? language;
}

/** 'zh-CN' → 'zh', 'Cantonese' → 'yue'; undefined for what is no language that we know by name. */
export function languageNamed(name: string): string | undefined {
  return NAMES[name.toLowerCase().replace('_', '-')];
}

/** The innermost folder on the way to a clip that is called like a language. */
export function languageOfPath(path: string): string | undefined {
  return path
    .split(/[\\/]/)
    .slice(0, -1)
    .map(languageNamed)
    .findLast((language) => language !== undefined);
}

/** Characters that written Mandarin does without. */
const CANTONESE = /[嘅唔喺咗佢哋冇啲嗰咁噉嚟嘢乜㗎喎嘞噃咩俾畀攞揾瞓諗靚餸]/u;

/** From the script, and for Chinese from characters that only Cantonese uses. `none`: nothing is said. */
export function guessLanguage(text: string): string {
  if (text.trim() === '') return 'none';
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return 'ja';
  if (/\p{Script=Hangul}/u.test(text)) return 'ko';
  if (!/\p{Script=Han}/u.test(text)) return 'en';
  return CANTONESE.test(text) ? 'yue' : 'zh';
}
