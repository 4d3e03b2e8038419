// What every decoder of a file format gives: sound as the file has it, before it is mixed down and
// resampled, with what is known about the file.

/**
 * A stretch of sound at the file's own rate: one array per channel, all of one length. Channels come
 * in WAV's order (left, right, center, low frequencies, then the others) where the file tells.
 */
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
  /** Which loudspeaker each channel feeds, where a WAV file says so (WAVE_FORMAT_EXTENSIBLE). */
  readonly channelMask?: number;
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
  /** Frees what opening took, for a source that is not walked. Safe to call at any time. */
  close(): void;
}

/** Channels as Vorbis and Opus order them (left, center, right, …), in WAV's order. */
export function fromXiphOrder(channels: readonly Float32Array[]): readonly Float32Array[] {
  const order = XIPH_ORDER[channels.length];
  return order ? order.flatMap((from) => channels[from] ?? []) : channels;
}

const XIPH_ORDER: Readonly<Record<number, readonly number[]>> = {
  3: [0, 2, 1],
  5: [0, 2, 1, 3, 4],
  6: [0, 2, 1, 5, 3, 4],
  7: [0, 2, 1, 6, 5, 3, 4],
  8: [0, 2, 1, 7, 5, 6, 3, 4],
};

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
function sliceOf(block: PcmBlock, start: number, end: number): PcmBlock {
  if (start === 0 && end >= framesOf(block)) return block;
  return {
    sampleRate: block.sampleRate,
    channels: block.channels.map((channel) => channel.subarray(start, end)),
  };
}

/** The frames `[start, end)` of several blocks in a row. */
export function cut(blocks: readonly PcmBlock[], start: number, end: number): PcmBlock[] {
  let at = 0;
  const kept: PcmBlock[] = [];
  for (const block of blocks) {
    const frames = framesOf(block);
    const from = Math.max(0, start - at);
    const to = Math.min(frames, end - at);
    if (from < to) kept.push(sliceOf(block, from, to));
    at += frames;
  }
  return kept;
}
