// What engines said, clip by clip, on disk: a finished clip is not read again.
//
//   <folder>/<engine>/engine.json          the engine and its run
//   <folder>/<engine>/clips/<clip>.json    one reading

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AsrError } from '../errors.ts';
import type { EngineFacts } from './engines/eval-engine.ts';
import type { EngineSpec } from './engines/engine-spec.ts';

/** One clip, read by one engine. */
export interface ClipResult {
  readonly id: string;
  /** What it depends on: engine, its build, settings, weights, sound, language. Another key: read again. */
  readonly key: string;
  readonly seconds: number;
  /** ITU-T P.56, of the recording as it is; absent where there is no sound at all. */
  readonly activeDbfs?: number;
  readonly text: string;
  /** From handing the whole recording over to having the whole text. */
  readonly latencyMs: number;
  readonly firstTextMs?: number;
  /** Why there is no reading; the clip counts as read with no text, and is tried again next time. */
  readonly failed?: string;
}

export interface EngineRun {
  readonly name: string;
  readonly spec: EngineSpec;
  /** Absent where the engine could not be opened. */
  readonly facts?: EngineFacts;
  readonly openMs?: number;
  readonly peakMemoryBytes?: number;
  /** Held by the process before the engine was opened. */
  readonly baselineBytes?: number;
  /** Why the run ended early. */
  readonly failed?: string;
  /** ISO date and time. */
  readonly endedAt: string;
}

export class ResultFolder {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The stored reading, when it was made with this key and did not fail. */
  async finished(engine: string, clip: string, key: string): Promise<ClipResult | undefined> {
    const result = await this.clip(engine, clip);
    return result?.key === key && result.failed === undefined ? result : undefined;
  }

  clip(engine: string, clip: string): Promise<ClipResult | undefined> {
    return readJson<ClipResult>(this.#clipPath(engine, clip));
  }

  putClip(engine: string, result: ClipResult): Promise<void> {
    return writeJson(this.#clipPath(engine, result.id), result);
  }

  run(engine: string): Promise<EngineRun | undefined> {
    return readJson<EngineRun>(join(this.#root, fileName(engine), 'engine.json'));
  }

  putRun(run: EngineRun): Promise<void> {
    return writeJson(join(this.#root, fileName(run.name), 'engine.json'), run);
  }

  #clipPath(engine: string, clip: string): string {
    return join(this.#root, fileName(engine), 'clips', `${fileName(clip)}.json`);
  }
}

/** Any name as the name of a file; names that differ stay different. */
function fileName(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}._~-]+/gu, '_');
  const safe = plain === name && !/^\.+$/.test(name) ? plain : `${plain}-${hashOf(name).slice(0, 6)}`;
  return safe.slice(-120);
}

export function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A file of ours; what is not there, or broken off by a crash, is as good as not there. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined; // read again, and written anew
  }
}

async function writeJson(path: string, content: unknown): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, `${JSON.stringify(content, null, 1)}\n`);
    await rename(`${path}.part`, path);
  } catch (cause) {
    throw new AsrError('output-unwritable', `${path} cannot be written`, { cause });
  }
}
