// A client of OpenAI's Realtime transcription, for tests.

import { readFile } from 'node:fs/promises';
import { WebSocket } from 'ws';
import { CLIP } from './test-server.ts';

interface Message {
  readonly type: string;
  readonly item_id?: string;
  readonly transcript?: string;
  readonly delta?: string;
  readonly error?: { code: string };
  readonly code?: string;
  readonly message?: string;
}

/** A Realtime client that keeps what it hears. */
export async function connectRealtime(url: string): Promise<{
  say(message: object): void;
  /** The first message of a type, or the one that makes so many of them. */
  hear(type: string, count?: number): Promise<Message>;
  readonly heard: Message[];
  close(): void;
}> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/realtime?intent=transcription`, ['realtime']);
  const heard: Message[] = [];
  let wake = (): void => undefined;
  socket.on('message', (data: Buffer) => {
    heard.push(JSON.parse(data.toString('utf8')) as Message);
    wake();
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    heard,
    say: (message) => socket.send(JSON.stringify(message)),
    hear: async (type, count = 1) => {
      for (;;) {
        const found = heard.filter((message) => message.type === type)[count - 1];
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    close: () => socket.close(),
  };
}

/** The clip's samples as 16-bit PCM (it is 16 kHz), in base64. */
export async function clipAudio(): Promise<string[]> {
  const pcm = (await readFile(CLIP)).subarray(44);
  const pieces: string[] = [];
  for (let at = 0; at < pcm.length; at += 32_000)
    pieces.push(pcm.subarray(at, at + 32_000).toString('base64'));
  return pieces;
}

export const AT_16_KHZ = { type: 'audio/pcm', rate: 16_000 };
