// Audio files on Node: the contract, and what only a machine with files can get wrong.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAbort } from '../../../src/errors.ts';
import type { AudioFile } from '../../../src/platform/media/audio-file.ts';
import { openAudioBytes, openAudioFile, openAudioStream } from '../../../src/platform/node/decode-file.ts';
import { describeFileDecoder } from '../../contract/file-decoder.ts';

const SOUNDS = resolve(import.meta.dirname, '../../fixtures/sounds');
const clip = async (file: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(resolve(SOUNDS, file)));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-decode-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function samplesOf(file: AudioFile): Promise<number[]> {
  const samples: number[] = [];
  for await (const block of file.blocks()) samples.push(...block.samples);
  return samples;
}

describe('from a file', () => {
  let count = 0;
  describeFileDecoder(
    {
      async open(bytes, options) {
        // The name says nothing, or worse.
        const path = join(folder, `${count++}.txt`);
        await writeFile(path, bytes);
        return openAudioFile(path, options);
      },
    },
    clip,
  );
});

describe('paths', () => {
  it('says that there is no such file', async () => {
    await expect(openAudioFile(join(folder, 'nowhere.wav'))).rejects.toMatchObject({
      code: 'audio-not-found',
    });
    const inFile = join(SOUNDS, 'vbr.mp3', 'inside.wav');
    await expect(openAudioFile(inFile)).rejects.toMatchObject({ code: 'audio-not-found' });
  });

  it('says that a folder is one', async () => {
    const opening = openAudioFile(folder);
    await expect(opening).rejects.toMatchObject({ code: 'audio-unreadable', message: 'it is a folder' });
  });

  it.skipIf(process.getuid?.() === 0)('says that it has no permission', async () => {
    const path = join(folder, 'secret.wav');
    await writeFile(path, 'RIFF');
    await chmod(path, 0);
    await expect(openAudioFile(path)).rejects.toMatchObject({ code: 'audio-unreadable' });
  });

  it('does not follow a link in circles', async () => {
    const path = join(folder, 'circle.wav');
    await symlink(path, path);
    await expect(openAudioFile(path)).rejects.toMatchObject({ code: 'audio-unreadable' });
  });

  it.skipIf(process.platform === 'win32')('reads from a pipe, what must be read whole included', async () => {
    for (const name of ['vbr.mp3', 'voice-memo.m4a']) {
      const pipe = join(folder, `pipe-${name}`);
      execFileSync('mkfifo', [pipe]);
      const writing = writeFile(pipe, await clip(name));
      const piped = await samplesOf(await openAudioFile(pipe));
      await writing;
      expect(piped).toEqual(await samplesOf(await openAudioBytes(await clip(name))));
    }
  });
});

describe('streams', () => {
  const trickle = (bytes: Uint8Array, pieceBytes: number): Readable =>
    Readable.from(
      (function* () {
        for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
      })(),
    );
  const spoolFolders = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => /^sotto-[A-Za-z0-9]{6}$/.test(name));

  it.each(['pcm16.wav', 'vbr.mp3', 'mono16.flac', 'vorbis.ogg', 'voice-memo.m4a', 'opus.webm', 'stereo.aac'])(
    'gives the same sound for %s as it arrives in pieces of any size',
    async (name) => {
      const bytes = await clip(name);
      const whole = await samplesOf(await openAudioBytes(bytes));
      for (const pieceBytes of [7, 1000]) {
        expect(await samplesOf(await openAudioStream(trickle(bytes, pieceBytes)))).toEqual(whole);
      }
    },
  );

  it('leaves no temporary file behind, read or not', async () => {
    const before = await spoolFolders();
    const bytes = await clip('voice-memo.m4a');
    await samplesOf(await openAudioStream(trickle(bytes, 1000)));
    await (await openAudioStream(trickle(bytes, 1000))).close();
    await expect(openAudioStream(trickle(bytes.subarray(0, 3000), 1000))).rejects.toThrow();
    expect((await spoolFolders()).filter((name) => !before.includes(name))).toEqual([]);
  });

  it('gives sound before the end of the stream has come', async () => {
    const bytes = await clip('bare.mp3');
    let sent = 0;
    const endless = Readable.from(
      (function* () {
        for (; ; sent++) yield bytes;
      })(),
    );
    const file = await openAudioStream(endless);
    const walk = file.blocks();
    const first = await walk.next();
    expect(first.done).toBe(false);
    expect(sent).toBeLessThan(200);
    await walk.return();
    expect(endless.destroyed).toBe(true);
  });

  it('says that a stream broke off, after what had come', async () => {
    const bytes = await clip('bare.mp3');
    const breaking = Readable.from(
      (async function* () {
        for (let i = 0; i < 60; i++) yield await Promise.resolve(bytes);
        throw new Error('socket hang up');
      })(),
    );
    let seconds = 0;
    const walk = (async () => {
      const file = await openAudioStream(breaking);
      for await (const block of file.blocks()) seconds += block.samples.length / 16_000;
    })();
    await expect(walk).rejects.toMatchObject({ code: 'audio-unreadable' });
    expect(seconds).toBeGreaterThan(30);
  });

  it('stops when told to while it waits', async () => {
    const bytes = await clip('bare.mp3');
    const stop = new AbortController();
    const stalling = Readable.from(
      (async function* () {
        for (let i = 0; i < 40; i++) yield bytes;
        setTimeout(() => stop.abort(), 20);
        await new Promise((resolve) => setTimeout(resolve, 60));
        for (let i = 0; i < 40; i++) yield bytes;
      })(),
    );
    const file = await openAudioStream(stalling);
    const walk = (async () => {
      for await (const block of file.blocks(stop.signal)) expect(block.samples.length).toBeGreaterThan(0);
    })();
    await expect(walk).rejects.toSatisfy(isAbort);
  });
});

describe('housekeeping', () => {
  const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

  it.skipIf(!existsSync('/proc/self/fd'))('closes every file, whatever became of it', async () => {
    await samplesOf(await openAudioFile(join(SOUNDS, 'vbr.mp3')));
    const before = await openFiles();
    for (let i = 0; i < 20; i++) {
      await samplesOf(await openAudioFile(join(SOUNDS, 'pcm16.wav')));
      await (await openAudioFile(join(SOUNDS, 'voice-memo.m4a'))).close();
      await expect(openAudioFile(join(SOUNDS, 'windows.wma'))).rejects.toThrow();
      const walk = (await openAudioFile(join(SOUNDS, 'vorbis.ogg'))).blocks();
      await walk.next();
      await walk.return();
    }
    expect(await openFiles()).toBe(before);
  });

  it('keeps its memory through two hundred small files', async () => {
    const names = ['vbr.mp3', 'opus.opus', 'vorbis.ogg', 'mono16.flac', 'voice-memo.m4a'];
    const round = async (): Promise<void> => {
      for (const name of names) await samplesOf(await openAudioFile(join(SOUNDS, name)));
    };
    for (let i = 0; i < 8; i++) await round();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 40; i++) await round();
    // One decoder's WebAssembly memory is 16 MB: were they kept, this would be gigabytes.
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6);
  });
});
