// What every decoder of a file format gives: sound as the file has it, before it is mixed down and
// resampled, with what is known about the file.

/** A stretch of sound at the file's own rate: one array per channel, all of one length. */
export interface PcmBlock {
  readonly sampleRate: number;
  readonly channels: readonly Float32Array[];
}

/** For people to read: what the file is. */
export interface AudioFormat {
  /** `WAV`, `MP3`, `FLAC`, `Ogg`, `MP4`, `WebM` … */
  readonly container: string;
  /** `pcm_s16le`, `mp3`, `flac`, `vorbis`, `opus`, `aac` … */
  readonly codec: string;
  readonly sampleRate: number;
  readonly channels: number;
}

/** Places that had to be skipped because the file is damaged there; the decoding went on behind them. */
export interface Damage {
  places: number;
  /** The first of them: where, and what was wrong. */
  first: string | undefined;
}

export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number | undefined;
}

/** An audio file, opened. */
export interface PcmSource {
  readonly format: AudioFormat;
  /** As the file states it; may be off for files without an index, and is unknown while an upload arrives. */
  readonly durationSeconds: number | undefined;
  readonly damage: Readonly<Damage>;
  progress(): Progress;
  /**
   * The sound, from its start; for one walk only. Decodes as it is asked, holds a bounded piece at a
   * time, and frees what it used when the walk ends, fails or is left.
   *
   * Fails with `audio-truncated`, `audio-malformed`, `audio-unsupported` or `audio-protected`, after
   * everything before that place was given.
   */
  blocks(signal?: AbortSignal): AsyncGenerator<PcmBlock, void, undefined>;
}

/** Notes a damaged place and goes on. */
export function noteDamage(damage: Damage, what: string): void {
  damage.places++;
  damage.first ??= what;
}

/** The number of frames (samples per channel). */
export function framesOf(block: PcmBlock): number {
  return block.channels[0]?.length ?? 0;
}

/** The frames `[start, end)` of a block, not copied. */
export function sliceOf(block: PcmBlock, start: number, end: number): PcmBlock {
  if (start === 0 && end >= framesOf(block)) return block;
  return {
    sampleRate: block.sampleRate,
    channels: block.channels.map((channel) => channel.subarray(start, end)),
  };
}
