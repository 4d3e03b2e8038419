// The languages of the page, and which one a reader wants.

export const LOCALES = ['en', 'zh-Hans', 'zh-Hant'] as const;
export type Locale = (typeof LOCALES)[number];

/** Each language by its own name. */
export const LOCALE_NAMES: Record<Locale, string> = {
  en: 'English',
  'zh-Hans': '简体中文',
  'zh-Hant': '繁體中文',
};

/**
 * The first language of the reader's list that the page speaks; English when there is none.
 *
 *   ['fr', 'zh-HK', 'en']  →  'zh-Hant'
 */
export function chooseLocale(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    const [language = '', ...rest] = tag.toLowerCase().split('-');
    if (language === 'en') return 'en';
    if (language === 'yue') return rest.includes('hans') ? 'zh-Hans' : 'zh-Hant';
    if (language !== 'zh') continue;
    if (rest.includes('hans')) return 'zh-Hans';
    return rest.some((part) => ['hant', 'tw', 'hk', 'mo'].includes(part)) ? 'zh-Hant' : 'zh-Hans';
  }
  return 'en';
}
