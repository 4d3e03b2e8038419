// Files that hold their samples plainly: WAV and AIFF (read by signal/sound-file), NIST SPHERE, and
// raw samples that a person describes.

import { AsrError } from '../../errors.ts';
import { pcmFormat, type PcmEncoding, type SampleFormat } from '../../signal/pcm.ts';
import { SoundFileReader, type SoundHeader } from '../../signal/sound-file.ts';
import { ByteCursor, viewOf, type ByteSource } from './byte-source.ts';
import type { Damage, PcmBlock, PcmSource } from './pcm.ts';

/** Bytes read at a time. */
const PIECE_BYTES = 1 << 16;

/** What a person says about raw samples, which say nothing themselves. */
export interface RawFormat {
  readonly encoding: PcmEncoding;
  readonly sampleRate: number;
  readonly channels: number;
}

const UNDAMAGED: Readonly<Damage> = { places: 0, first: undefined };

/** Opens a WAV or AIFF file. Fails as `SoundFileReader` does. */
export async function openSoundFile(source: ByteSource): Promise<PcmSource> {
  const ready: PcmBlock[] = [];
  const reader: SoundFileReader = new SoundFileReader((interleaved, frames) => {
    const { sampleRate, channels } = reader.header ?? { sampleRate: 0, channels: 1 };
    ready.push({ sampleRate, channels: separated(interleaved, frames, channels) });
  });
  const cursor = new ByteCursor(source, 0);
  while (!reader.header && (await pushPiece(cursor, reader)));
  const header = reader.header;
  if (!header) {
    reader.finish();
    throw new AsrError('audio-malformed', 'the file has no description of its samples');
  }
  return {
    format: {
      container: header.container.toUpperCase(),
      codec: header.encoding,
      sampleRate: header.sampleRate,
      channels: header.channels,
      ...(header.channelMask !== undefined && { channelMask: header.channelMask }),
    },
    durationSeconds: durationOf(header, source.sizeBytes),
    damage: UNDAMAGED,
    progress: () => ({ doneBytes: cursor.position, totalBytes: source.sizeBytes }),
    close: () => undefined,
    blocks: (signal) => readSoundFile(cursor, reader, ready, signal),
  };
}

/** What the header promises, unless the file is too short to hold it. */
function durationOf({ frames, sampleRate }: SoundHeader, sizeBytes: number | undefined): number | undefined {
  // No format takes less than two bits for a sample.
  if (frames === undefined || frames > (sizeBytes ?? Infinity) * 4) return undefined;
  return frames / sampleRate;
}

async function pushPiece(cursor: ByteCursor, reader: SoundFileReader): Promise<boolean> {
  await cursor.need(1);
  const piece = cursor.bytes.subarray(0, PIECE_BYTES);
  reader.push(piece);
  cursor.skip(piece.length);
  return piece.length > 0;
}

async function* readSoundFile(
  cursor: ByteCursor,
  reader: SoundFileReader,
  ready: PcmBlock[],
  signal: AbortSignal | undefined,
): AsyncGenerator<PcmBlock, void, undefined> {
  do {
    signal?.throwIfAborted();
    yield* ready.splice(0);
  } while (await pushPiece(cursor, reader));
  const { frames, truncated } = reader.finish();
  yield* ready.splice(0);
  if (truncated) {
    throw new AsrError(
      'audio-truncated',
      `the file ends at byte ${cursor.position} with ${frames} of its ${reader.header?.frames ?? 'many'} samples`,
    );
  }
}

/** Interleaved samples as one array per channel, copied. */
function separated(interleaved: Float32Array, frames: number, channels: number): Float32Array[] {
  return Array.from({ length: channels }, (_, c) => {
    const samples = new Float32Array(frames);
    for (let i = 0, from = c; i < frames; i++, from += channels) samples[i] = interleaved[from] ?? 0;
    return samples;
  });
}

/** Opens raw samples. */
export function openRaw(source: ByteSource, raw: RawFormat): PcmSource {
  return openSamples(source, 0, pcmFormat(raw.encoding, raw.channels), raw, 'raw', undefined);
}

const SPHERE_MAX_HEADER_BYTES = 1 << 16;

/**
 * Opens a NIST SPHERE file: a text header, then samples. Fails with `audio-unsupported` when they
 * are compressed, `audio-malformed` when the header does not say what they are.
 */
export async function openSphere(source: ByteSource): Promise<PcmSource> {
  const cursor = new ByteCursor(source, 0);
  await cursor.need(16);
  const headerBytes = Number(latin(cursor.bytes.subarray(8, 16)));
  if (!(headerBytes >= 16 && headerBytes <= SPHERE_MAX_HEADER_BYTES))
    throw badSphere('its header has no length');
  if (!(await cursor.need(headerBytes)))
    throw new AsrError('audio-truncated', 'the file ends in its SPHERE header');
  const fields = sphereFields(latin(cursor.bytes.subarray(16, headerBytes)));
  const sampleRate = Number(fields.get('sample_rate'));
  const channels = Number(fields.get('channel_count') ?? 1);
  if (!(sampleRate >= 1000 && sampleRate <= 768_000)) throw badSphere('its header states no sample rate');
  if (!(Number.isInteger(channels) && channels >= 1 && channels <= 64))
    throw badSphere(`${channels} channels`);
  const frames = fields.has('sample_count') ? Number(fields.get('sample_count')) : undefined;
  const format = pcmFormat(sphereEncoding(fields), channels);
  return openSamples(source, headerBytes, format, { sampleRate, channels }, 'SPHERE', frames);
}

/** Lines of `name -type value`. */
function sphereFields(header: string): Map<string, string> {
  const lines = header.split('\n').map((line) => /^(\w+)\s+-\w+\s+(.*)$/.exec(line.trim()));
  return new Map(lines.filter((match) => match !== null).map(([, name = '', value = '']) => [name, value]));
}

function sphereEncoding(fields: ReadonlyMap<string, string>): PcmEncoding {
  const coding = fields.get('sample_coding') ?? 'pcm';
  if (coding === 'ulaw' || coding === 'mu-law') return 'mulaw';
  if (coding === 'alaw') return 'alaw';
  if (coding !== 'pcm')
    throw new AsrError('audio-unsupported', `a NIST SPHERE file compressed as "${coding}"`);
  const bytes = Number(fields.get('sample_n_bytes') ?? 2);
  const order = fields.get('sample_byte_format') === '10' ? 'be' : 'le';
  if (bytes === 1) return 's8';
  if (bytes !== 2) throw badSphere(`samples of ${bytes} bytes`);
  return `s16${order}`;
}

function badSphere(why: string): AsrError {
  return new AsrError('audio-malformed', `the NIST SPHERE header is damaged: ${why}`);
}

function latin(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}

/** Samples from `start` to the end of the file, or `frames` of them. */
function openSamples(
  source: ByteSource,
  start: number,
  format: SampleFormat,
  { sampleRate, channels }: { sampleRate: number; channels: number },
  container: string,
  frames: number | undefined,
): PcmSource {
  const cursor = new ByteCursor(source, start);
  const found = source.sizeBytes && Math.floor((source.sizeBytes - start) / format.unitBytes);
  const count = frames ?? found;
  return {
    format: { container, codec: format.name, sampleRate, channels },
    durationSeconds: count === undefined ? undefined : count / sampleRate,
    damage: UNDAMAGED,
    progress: () => ({ doneBytes: cursor.position, totalBytes: source.sizeBytes }),
    close: () => undefined,
    blocks: (signal) => readSamples(cursor, format, sampleRate, channels, frames, signal),
  };
}

async function* readSamples(
  cursor: ByteCursor,
  format: SampleFormat,
  sampleRate: number,
  channels: number,
  frames: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<PcmBlock, void, undefined> {
  const block = new Float32Array(PIECE_BYTES * 2);
  let read = 0;
  while (read < (frames ?? Infinity) && (await cursor.need(format.unitBytes))) {
    signal?.throwIfAborted();
    const units = Math.min(
      Math.floor(Math.min(cursor.bytes.length, PIECE_BYTES) / format.unitBytes),
      (frames ?? Infinity) - read,
    );
    const unpacked = format.unpack(viewOf(cursor.bytes), 0, units * format.unitBytes, block);
    cursor.skip(units * format.unitBytes);
    read += unpacked;
    yield { sampleRate, channels: separated(block, unpacked, channels) };
  }
  if (read === 0) throw new AsrError('audio-empty', 'the file holds no samples');
  if (frames !== undefined && read < frames) {
    throw new AsrError(
      'audio-truncated',
      `the file ends at byte ${cursor.position} with ${read} of its ${frames} samples`,
    );
  }
}
