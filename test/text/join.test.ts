import { expect, test } from 'vitest';
import { joinText } from '../../src/text/join.ts';

test('Chinese runs on, English takes a space, and a change of script takes none', () => {
  expect(joinText(['明天早上', '别忘了开会'])).toBe('明天早上别忘了开会');
  expect(joinText(['Turn left', 'at the light'])).toBe('Turn left at the light');
  expect(joinText(['打开', 'Sotto', '吧'])).toBe('打开Sotto吧');
  expect(joinText(['好的。', 'Thank you'])).toBe('好的。Thank you');
});

test('leaves out empty pieces and the space around pieces', () => {
  expect(joinText([' a ', '', '  ', 'b'])).toBe('a b');
  expect(joinText([])).toBe('');
});
