// The language that a transcript is written in, by its characters, as OpenAI spells it.

/** Characters of written Cantonese that Mandarin does without. */
const CANTONESE = /[嘅唔喺咗佢哋冇啲嗰咁噉嚟嘢乜㗎喎嘞噃咩俾畀攞揾瞓諗靚餸]/u;

/** 'english', 'chinese' or 'cantonese'; what this model writes. */
export function languageOf(text: string): string {
  if (!/\p{Script=Han}/u.test(text)) return 'english';
  return CANTONESE.test(text) ? 'cantonese' : 'chinese';
}
