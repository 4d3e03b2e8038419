import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readClips } from '../../src/eval/clips.ts';
import { guessLanguage, languageNamed } from '../../src/eval/language.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-clips-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, content = ''): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

test('a recording with a text beside it is a clip; one without is skipped', async () => {
  put('b.wav');
  put('b.txt', '\uFEFFTurn on\nthe lamp.\n');
  put('deep/a.mp3');
  put('deep/a.txt', '你好');
  put('alone.flac');
  put('notes.txt', 'no recording');
  const { clips, skipped } = await readClips(folder);
  expect(skipped).toEqual(['alone.flac']);
  expect(clips).toEqual([
    {
      id: 'b',
      path: join(folder, 'b.wav'),
      text: 'Turn on the lamp.',
      language: 'en',
      whispered: false,
      scene: 'recorded',
    },
    {
      id: 'deep-a',
      path: join(folder, 'deep/a.mp3'),
      text: '你好',
      language: 'zh',
      whispered: false,
      scene: 'recorded',
    },
  ]);
});

test('the folder says the language; what is said only where it does not', async () => {
  for (const [file, text] of [
    ['yue/mandarin-looking', '你好'],
    ['x/zh-CN/y', 'OK'],
    ['z', '佢哋喺邊度'],
  ]) {
    put(`${file}.wav`);
    put(`${file}.txt`, text);
  }
  const { clips } = await readClips(folder);
  expect(clips.map(({ id, language }) => [id, language])).toEqual([
    ['x-zh-CN-y', 'zh'],
    ['yue-mandarin-looking', 'yue'],
    ['z', 'yue'],
  ]);
});

test('a list knows more: languages, scenes, levels, whispers, texts without a file', async () => {
  const list = [
    { file: 'a.wav', language: 'yue', text: '好呀', scene: 'whisper', levelDbfs: -45, voice: 'm3' },
    { file: 'n.wav', language: null, text: '', scene: 'noise only', levelDbfs: -30, voice: null },
    { file: 's.wav', language: null, text: '', scene: 'silence', levelDbfs: null },
  ];
  put('manifest.json', JSON.stringify(list));
  const { clips } = await readClips(folder);
  expect(clips.map(({ path: _path, ...clip }) => clip)).toEqual([
    { id: 'a', text: '好呀', language: 'yue', whispered: true, scene: 'whisper', levelDbfs: -45 },
    { id: 'n', text: '', language: 'none', whispered: false, scene: 'noise only', levelDbfs: -30 },
    { id: 's', text: '', language: 'none', whispered: false, scene: 'silence' },
  ]);
});

test('two recordings of one name are told apart', async () => {
  put('talk.mp3');
  put('talk.wav');
  put('talk.txt', 'hello');
  expect((await readClips(folder)).clips.map(({ id }) => id)).toEqual(['talk', 'talk~2']);
});

test('a folder without clips, or a broken list, says what to do', async () => {
  await expect(readClips(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'clips-not-found' });
  await expect(readClips(folder)).rejects.toMatchObject({ code: 'clips-not-found' });
  put('clips.json', '{"clips": [{"file": "a.wav"}]}');
  await expect(readClips(folder)).rejects.toThrow('clips.json → clips[0] → text should be text');
});

test('languages are told by name and guessed from what is said', () => {
  expect(['zh-CN', 'Cantonese', 'en_US', 'sounds'].map(languageNamed)).toEqual([
    'zh',
    'yue',
    'en',
    undefined,
  ]);
  expect(['你好', '佢唔喺度', 'hello', 'こんにちは', '안녕', ' '].map(guessLanguage)).toEqual([
    ...['zh', 'yue', 'en', 'ja', 'ko', 'none'],
  ]);
});
