// A server on the seeded model, with a real engine in a real process; with or without a port.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { DEFAULT_OPTIONS, type TranscribeOptions } from '../../src/engine/events.ts';
import { createEngine } from '../../src/engine/create-engine.ts';
import { openAudioFile } from '../../src/platform/node/decode-file.ts';
import { createNodeRuntime } from '../../src/platform/node/ort.ts';
import { KeyRing, type StoredKey } from '../../src/server/access/keys.ts';
import { type ServerParts, createApp } from '../../src/server/app.ts';
import { type GivenSettings, mergeSettings } from '../../src/server/config.ts';
import { type RunningServer, assemble, startServer } from '../../src/server/serve.ts';
import { joinText } from '../../src/text/join.ts';
import { loadInMemory } from '../fixtures/memory-model.ts';
import { seededCheckpoint } from '../fixtures/seeded-model.ts';
import { writeSeededModel } from '../fixtures/seeded-dir.ts';

export const CLIP = resolve(import.meta.dirname, '../../public/clips/en_thank-you.wav');
export const OTHER_CLIP = resolve(import.meta.dirname, '../../public/clips/zh_speak-softly.wav');

const SMALL: GivenSettings = {
  port: 0,
  threads: 1,
  warmUp: false,
  log: 'silent',
  keyFile: '/nowhere/keys.json',
};

export interface Places {
  readonly folder: string;
  readonly pageDir: string;
  readonly sampleDir: string;
  readonly version: string;
}

/** A page of one line and the seeded model as the sample. */
export async function testPlaces(): Promise<Places> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-served-'));
  const pageDir = join(folder, 'page');
  await mkdir(join(pageDir, 'assets'), { recursive: true });
  await writeFile(join(pageDir, 'index.html'), '<!doctype html><title>Sotto</title>');
  await writeFile(join(pageDir, 'assets/main-abc123.js'), 'export {};');
  await writeFile(join(pageDir, '.built'), '');
  await writeFile(join(folder, 'secret.txt'), 'nobody may read this');
  await writeSeededModel(join(folder, 'models/seeded'));
  return { folder, pageDir, sampleDir: join(folder, 'models/seeded'), version: '1.2.3' };
}

export interface TestApp {
  readonly parts: ServerParts;
  ask(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** Without a port: requests go straight to the handlers. */
export async function openTestApp(
  given: GivenSettings = {},
  keys: readonly StoredKey[] = [],
): Promise<TestApp> {
  const places = await testPlaces();
  const settings = mergeSettings(SMALL, given);
  const parts = await assemble(settings, places, new KeyRing(keys), pino({ level: 'silent' }));
  const app = createApp(parts);
  return {
    parts,
    ask: async (path, init) => app.request(path, init),
    close: async () => {
      await parts.jobs.close(0);
      parts.gradio.close();
      await parts.uploads.close();
      await rm(places.folder, { recursive: true });
    },
  };
}

/** On a port of its own. */
export async function openTestServer(
  given: GivenSettings = {},
): Promise<RunningServer & { readonly url: string }> {
  const places = await testPlaces();
  const server = await startServer(mergeSettings(SMALL, { grace: 1 }, given), places);
  const url = server.address.replace('localhost', '127.0.0.1');
  return {
    ...server,
    url,
    close: async () => {
      await server.close();
      await rm(places.folder, { recursive: true });
    },
  };
}

/** What the engine itself reads, without any server. */
export async function expectedText(path: string, options: Partial<TranscribeOptions> = {}): Promise<string> {
  const runtime = createNodeRuntime({ provider: 'cpu', threads: 1 });
  const engine = createEngine(await loadInMemory(seededCheckpoint(), 'fp32', runtime));
  const { signal } = new AbortController();
  const pieces: string[] = [];
  const audio = (await openAudioFile(path)).blocks(signal);
  for await (const event of engine.transcribe(audio, { ...DEFAULT_OPTIONS, ...options }, signal)) {
    if (event.type === 'final') pieces.push(event.segment.text);
  }
  await engine.release();
  return joinText(pieces);
}

/** A form with a recording and fields, in that order. */
export async function formOf(
  path: string,
  fields: Record<string, string> = {},
  field = 'file',
): Promise<FormData> {
  const form = new FormData();
  form.append(field, new Blob([await readFile(path)]), 'clip.wav');
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

/** The data of server-sent events, in order. */
export function dataOf(stream: string): unknown[] {
  return stream
    .split('\n\n')
    .map((frame) => /^data: (.*)$/m.exec(frame)?.[1])
    .filter((data) => data !== undefined && data !== '[DONE]')
    .map((data) => JSON.parse(data ?? '') as unknown);
}
