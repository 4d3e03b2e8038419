// The clips that ship with the page: to try it with, and to check devices with.

import { joinFloats } from '../../bytes.ts';
import type { GoldenClip } from '../../engine/self-check.ts';
import { Fields } from '../../fields.ts';
import type { OpenFile } from './queue.svelte.ts';

export interface SampleClip {
  readonly file: string;
  /** Language tag. */
  readonly language: string;
  readonly levelDbfs: number;
  readonly scene: string;
  readonly text: string;
}

export class Samples {
  /** Empty until loaded, and where a copy of the page came without clips. */
  clips = $state.raw<readonly SampleClip[]>([]);
  readonly #folder: string;
  readonly #openFile: OpenFile;
  #golden: Promise<GoldenClip | undefined> | undefined;

  /** `folder` is the address of the clips, with a slash at its end. */
  constructor(folder: string, openFile: OpenFile) {
    this.#folder = folder;
    this.#openFile = openFile;
  }

  async load(): Promise<void> {
    const response = await fetch(`${this.#folder}clips.json`).catch(() => undefined); // offline: no clips
    if (response?.ok !== true) return;
    const json: unknown = await response.json();
    this.clips = new Fields({ clips: json }, 'clips.json', 'audio-malformed')
      .objects('clips')
      .map((clip) => ({
        file: clip.string('file'),
        language: clip.string('language'),
        levelDbfs: clip.number('levelDbfs'),
        scene: clip.string('scene'),
        text: clip.string('text'),
      }));
  }

  address(clip: SampleClip): string {
    return `${this.#folder}${clip.file}`;
  }

  async file(clip: SampleClip): Promise<File> {
    const response = await fetch(this.address(clip));
    return new File([await response.blob()], clip.file, { type: 'audio/wav' });
  }

  /** A short clear clip with its text; undefined where there is none. */
  golden(): Promise<GoldenClip | undefined> {
    return (this.#golden ??= this.#loadGolden());
  }

  async #loadGolden(): Promise<GoldenClip | undefined> {
    if (this.clips.length === 0) await this.load();
    const clear = [...this.clips].sort((a, b) => b.levelDbfs - a.levelDbfs);
    const clip = clear.find(({ language }) => language.startsWith('en')) ?? clear[0];
    if (clip === undefined) return undefined;
    const sound = await this.#openFile(await this.file(clip));
    const blocks: Float32Array[] = [];
    for await (const { samples } of sound.blocks()) blocks.push(samples.slice());
    return { samples: joinFloats(blocks), text: clip.text };
  }
}
