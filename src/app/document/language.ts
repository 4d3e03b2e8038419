// Which language a stretch of transcript is in, well enough for fonts, hyphenation and screen readers.

import type { ReadScript, ScriptView } from './transcript.ts';

const HAN = /\p{Script=Han}/gu;
const LETTER = /\p{Letter}/gu;

/** Everyday characters that only one of the two scripts has. */
const SIMPLIFIED = new Set(
  '们这个说时来对么会为没过还给让见话请问谁听写读书车门开关东西长点钟样儿头马鸟鱼风云电脑网页机场饭馆钱买卖学习经济发现实应该觉两几万岁爱欢乐难记录备份别夹议认识',
);
const TRADITIONAL = new Set(
  '們這個說時來對麼會為沒過還給讓見話請問誰聽寫讀書車門開關東長點鐘樣兒頭馬鳥魚風雲電腦網頁機場飯館錢買賣學習經濟發現實應該覺兩幾萬歲愛歡樂難記錄備別夾議認識',
);
/** Characters and pairs of written Cantonese. */
const CANTONESE = /[嘅喺咗冇啲嗰佢哋咁嚟喇嘢乜咩唔噉睇攞俾畀瞓啱㗎]|唔該|好呀|早唞|多謝晒/u;

export type TextLanguage =
  'en' | 'zh' | 'zh-Hans' | 'zh-Hant' | 'zh-Hant-HK' | 'zh-Hant-TW' | 'yue-Hant' | 'yue-Hans' | 'und';

/** The language tag of `text`, which is shown in `view`. */
export function languageOf(text: string, view: ScriptView = 'as-read'): TextLanguage {
  const letters = text.match(LETTER)?.length ?? 0;
  const han = text.match(HAN)?.length ?? 0;
  if (letters === 0) return 'und';
  // A Chinese character says about as much as three Latin letters.
  if (han * 3 < letters - han) return 'en';
  const script = view === 'as-read' ? scriptOf(text) : view === 'hans' ? 'hans' : 'hant';
  if (CANTONESE.test(text)) return script === 'hans' ? 'yue-Hans' : 'yue-Hant';
  if (view === 'hant-hk') return 'zh-Hant-HK';
  if (view === 'hant-tw') return 'zh-Hant-TW';
  return script === 'unknown' ? 'zh' : script === 'hans' ? 'zh-Hans' : 'zh-Hant';
}

/** Which script Chinese text is written in, by the characters that only one of them has. */
export function scriptOf(text: string): ReadScript {
  let balance = 0;
  for (const character of text) {
    const simplified = SIMPLIFIED.has(character);
    const traditional = TRADITIONAL.has(character);
    if (simplified !== traditional) balance += simplified ? 1 : -1;
  }
  return balance > 0 ? 'hans' : balance < 0 ? 'hant' : 'unknown';
}

export function hasHan(text: string): boolean {
  return /\p{Script=Han}/u.test(text);
}
