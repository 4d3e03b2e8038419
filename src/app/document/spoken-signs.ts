// Signs that are spoken ("comma", "逗号") → signs. Off unless the user wants it, since these are words too.

const ENGLISH: Readonly<Record<string, string>> = {
  comma: ',',
  'full stop': '.',
  period: '.',
  'question mark': '?',
  'exclamation mark': '!',
  'exclamation point': '!',
  colon: ':',
  semicolon: ';',
  'new line': '\n',
  'new paragraph': '\n\n',
};

const CHINESE: Readonly<Record<string, string>> = {
  逗号: '，',
  逗號: '，',
  句号: '。',
  句號: '。',
  问号: '？',
  問號: '？',
  感叹号: '！',
  感嘆號: '！',
  冒号: '：',
  冒號: '：',
  分号: '；',
  分號: '；',
  顿号: '、',
  頓號: '、',
  换行: '\n',
  換行: '\n',
};

/** What the model may have put around a spoken sign: the sign that it took the pause for. */
const AROUND = '[,.;:，。；：、]?';
const ENGLISH_SIGN = new RegExp(`${AROUND}\\s*\\b(${Object.keys(ENGLISH).join('|')})\\b${AROUND}`, 'giu');
const CHINESE_SIGN = new RegExp(`${AROUND}(${Object.keys(CHINESE).join('|')})${AROUND}`, 'gu');

/** 'close the door, comma, please full stop' → 'close the door, please.' */
export function withSpokenSigns(text: string): string {
  return text
    .replace(ENGLISH_SIGN, (_, name: string) => ENGLISH[name.toLowerCase()] ?? '')
    .replace(CHINESE_SIGN, (_, name: string) => CHINESE[name] ?? '')
    .replace(/[ \t]*\n[ \t]*/g, '\n')
    .trim();
}
