import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreedPrefix } from '../../src/text/agreement.ts';
import { wordsOf } from '../../src/text/words.ts';

test('words keep the space and punctuation behind them, Chinese goes by the character', () => {
  expect(wordsOf('turn left, 明天见')).toEqual(['turn ', 'left, ', '明', '天', '见']);
  expect(wordsOf('那个文件，记得备份')).toEqual(['那', '个', '文', '件，', '记', '得', '备', '份']);
  expect(wordsOf('打开Sotto吧')).toEqual(['打', '开', 'Sotto', '吧']);
  expect(wordsOf('')).toEqual([]);
});

test('words joined are the text again, whatever it is', () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('明', '天', '，', ' ', 'a', 'b', '.', '\n', 'カ', '🎉'), fc.string()),
  });
  fc.assert(fc.property(text, (t) => wordsOf(t).join('') === t));
});

test('readings agree up to the first difference, and the last word may still be growing', () => {
  const words = (text: string): string[] => wordsOf(text);
  expect(agreedPrefix(words('turn left at the'), words('turn left at a light')).join('')).toBe(
    'turn left at ',
  );
  expect(agreedPrefix(words('turn le'), words('turn left')).join('')).toBe('turn ');
  expect(agreedPrefix(words('turn left'), words('turn left')).join('')).toBe('turn ');
  expect(agreedPrefix([], words('turn')).join('')).toBe('');
  expect(agreedPrefix(words('明天早'), words('明天早上别')).join('')).toBe('明天早');
});
