import { expect, test } from 'vitest';
import { Draft } from '../../src/engine/draft.ts';

test('commits what two readings agree on and keeps the rest tentative', () => {
  const draft = new Draft();
  expect(draft.revise('turn le', [1])).toEqual({ committed: '', tentative: 'turn le' });
  expect(draft.revise('turn left at', [2])).toEqual({ committed: 'turn ', tentative: 'left at' });
  expect(draft.revise('turn left at the light', [3])).toEqual({
    committed: 'turn left at ',
    tentative: 'the light',
  });
});

test('keeps committed text when a later reading disagrees', () => {
  const draft = new Draft();
  draft.revise('turn left at the', [1]);
  expect(draft.revise('turn left at the light', [2]).committed).toBe('turn left at the ');
  expect(draft.revise('turn right at the light', [3]).committed).toBe('turn left at the ');
});

test('remembers the ids of the last reading and forgets everything when the window closes', () => {
  const draft = new Draft();
  draft.revise('turn left', [1, 2]);
  expect(draft.ids).toEqual([1, 2]);
  draft.clear();
  expect(draft.ids).toEqual([]);
  expect(draft.revise('明天', [3])).toEqual({ committed: '', tentative: '明天' });
});
