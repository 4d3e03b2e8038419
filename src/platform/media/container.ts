// MP4 (M4A, MOV, 3GP), Matroska and WebM, ADTS and MPEG transport streams: mediabunny finds the
// packets of the track with sound, a packet decoder turns them into sound.
//
// What is trimmed: at the start what the container marks as not to be heard (edit lists; Opus'
// pre-skip), at the end what MP4 marks. Matroska's end padding (a few ms of Opus) stays, as does
// what a track starts late by: times count from the first sample.

import {
  ADTS,
  CustomSource,
  EncodedPacketSink,
  Input,
  Logging,
  LogLevel,
  MATROSKA,
  MP4,
  MPEG_TS,
  QTFF,
  WEBM,
  type EncodedPacket,
  type InputAudioTrack,
} from 'mediabunny';
import { AsrError, isAsrError } from '../../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { opusHeadOf } from './codecs.ts';
import { explainMp4 } from './mp4-boxes.ts';
import type { OpenPacketDecoder, PacketDecoder, TrackConfig } from './packets.ts';
import { cut, framesOf, noteDamage, type Damage, type PcmBlock, type PcmSource } from './pcm.ts';
import type { MediaKind } from './sniff.ts';

/** What mediabunny may keep of the file: beside it only the index is held. */
const CACHE_BYTES = 4 << 20;

/** Opens the sound of a container. `openDecoder` is asked for each track with sound until one can be decoded. */
export async function openContainer(
  source: ByteSource,
  kind: MediaKind,
  openDecoder: OpenPacketDecoder,
): Promise<PcmSource> {
  Logging.level = LogLevel.Silent;
  const input = new Input({
    formats: [MP4, QTFF, WEBM, MATROSKA, ADTS, MPEG_TS],
    source: new CustomSource({
      getSize: () => source.sizeBytes ?? 0,
      read: (start, end) => source.read(start, end - start),
      maxCacheSize: CACHE_BYTES,
      prefetchProfile: 'fileSystem',
      // A read ahead that fails is repeated, and reported, when its bytes are wanted.
      handleUnhandledError: () => undefined,
    }),
    formatOptions: { isobmff: { resolveKeyId: refuseKey } },
  });
  try {
    return await openTrack(input, source, openDecoder);
  } catch (error) {
    input.dispose();
    const explanation = explained(error, 'it cannot be opened');
    // mediabunny has one answer for damage, a missing index and some forms of encryption.
    const isDamage = isAsrError(explanation) && explanation.code === 'audio-malformed';
    throw (kind === 'mp4' && isDamage && (await explainMp4(source))) || explanation;
  }
}

function refuseKey(): never {
  throw new AsrError('audio-protected', 'the sound in the file is encrypted');
}

/** Anything that mediabunny or a decoder throws on the file's account, as a failure of the file. */
function explained(error: unknown, where: string): unknown {
  if (isAsrError(error) || (error instanceof Error && error.name === 'AbortError')) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new AsrError('audio-malformed', `the file is damaged: ${where} (${why})`, { cause: error });
}

async function openTrack(
  input: Input,
  source: ByteSource,
  openDecoder: OpenPacketDecoder,
): Promise<PcmSource> {
  const container = (await input.getFormat()).name;
  const tracks = await soundTracks(input, container);
  const refused: string[] = [];
  for (const track of tracks) {
    const config = await configOf(track);
    const decoder = await openDecoder(config);
    if (!decoder) {
      refused.push(config.codec);
      continue;
    }
    const durationSeconds = (await input.getDurationFromMetadata([track])) ?? undefined;
    return new ContainerSound(input, source, track, config, container, decoder, durationSeconds);
  }
  throw new AsrError(
    'audio-unsupported',
    `the sound in the ${container} file is ${refused.map(codecName).join(', ')}`,
  );
}

/** The tracks with sound, best first. */
async function soundTracks(input: Input, container: string): Promise<InputAudioTrack[]> {
  const primary = await input.getPrimaryAudioTrack();
  const tracks = await input.getAudioTracks();
  if (primary) return [primary, ...tracks.filter((track) => track !== primary)];
  if ((await input.getVideoTracks()).length > 0) {
    throw new AsrError('audio-empty', 'the file is a video without sound');
  }
  throw new AsrError('audio-malformed', `the ${container} file holds no track with sound`);
}

async function configOf(track: InputAudioTrack): Promise<TrackConfig> {
  const internal = await track.getInternalCodecId();
  // Apple's FairPlay, which hides what it protects.
  if (internal === 'drms' || internal === 'aavd') refuseKey();
  const decoderConfig = await track.getDecoderConfig();
  const description = decoderConfig?.description;
  return {
    codec: (await track.getCodec()) ?? String(internal ?? 'unknown'),
    codecString: decoderConfig?.codec ?? '',
    sampleRate: await track.getSampleRate(),
    channels: await track.getNumberOfChannels(),
    description: description === undefined ? undefined : bytesOf(description),
  };
}

function bytesOf(data: ArrayBuffer | ArrayBufferView | SharedArrayBuffer): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}

const CODEC_NAMES: Readonly<Record<string, string>> = {
  aac: 'AAC, which cannot be decoded here',
  alac: 'Apple Lossless (ALAC)',
  ac3: 'Dolby Digital (AC-3)',
  eac3: 'Dolby Digital Plus (E-AC-3)',
  dts: 'DTS',
};

function codecName(codec: string): string {
  return CODEC_NAMES[codec] ?? `of a kind we do not know ("${codec}")`;
}

/** Packets decoded at a time: about a second. */
const BATCH_PACKETS = 48;
/** So much less sound than stated is a file that was cut. */
const UNNOTICED_SECONDS = 1;

class ContainerSound implements PcmSource {
  readonly format: PcmSource['format'];
  readonly durationSeconds: number | undefined;
  readonly damage: Damage = { places: 0, first: undefined };
  readonly #input: Input;
  readonly #source: ByteSource;
  readonly #track: InputAudioTrack;
  readonly #config: TrackConfig;
  readonly #decoder: PacketDecoder;
  #doneSeconds = 0;
  #closed = false;

  constructor(
    input: Input,
    source: ByteSource,
    track: InputAudioTrack,
    config: TrackConfig,
    container: string,
    decoder: PacketDecoder,
    durationSeconds: number | undefined,
  ) {
    const { codec, sampleRate, channels } = config;
    this.format = { container, codec, sampleRate, channels };
    this.durationSeconds = durationSeconds;
    this.#input = input;
    this.#source = source;
    this.#track = track;
    this.#config = config;
    this.#decoder = decoder;
  }

  /** By time: packets lie somewhere in the file, and its index may come last. */
  progress(): { doneBytes: number; totalBytes: number | undefined } {
    const totalBytes = this.#source.sizeBytes;
    const part = this.durationSeconds ? Math.min(1, this.#doneSeconds / this.durationSeconds) : 0;
    return { doneBytes: Math.round(part * (totalBytes ?? 0)), totalBytes };
  }

  async *blocks(signal?: AbortSignal): AsyncGenerator<PcmBlock, void, undefined> {
    try {
      yield* this.#decodeAll(signal);
    } catch (error) {
      throw explained(error, `the sound breaks off after ${this.#doneSeconds.toFixed(1)} s`);
    } finally {
      this.close();
    }
    this.#checkLength();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decoder.close();
    this.#input.dispose();
  }

  async *#decodeAll(signal: AbortSignal | undefined): AsyncGenerator<PcmBlock, void, undefined> {
    const trim = new Trim(this.#config);
    let batch: EncodedPacket[] = [];
    for await (const packet of new EncodedPacketSink(this.#track).packets()) {
      signal?.throwIfAborted();
      trim.start(packet.timestamp);
      if (batch.length >= BATCH_PACKETS) {
        yield* trim.middle(await this.#decode(batch));
        batch = [];
      }
      batch.push(packet);
      this.#doneSeconds = Math.max(this.#doneSeconds, packet.timestamp + packet.duration);
    }
    const last = [...(await this.#decode(batch)), ...(await this.#decoder.flush())];
    // Only MP4 says how much of its last packet is to be heard.
    const states = ['MP4', 'QuickTime File Format'].includes(this.format.container);
    yield* trim.end(last, states ? this.#doneSeconds : undefined);
  }

  #decode(batch: readonly EncodedPacket[]): Promise<readonly PcmBlock[]> {
    const at = batch[0]?.timestamp ?? 0;
    return this.#decoder.decode(
      batch.map((packet) => packet.data),
      (what) => noteDamage(this.damage, `at ${Math.max(0, at).toFixed(1)} s: ${what}`),
    );
  }

  #checkLength(): void {
    const stated = this.durationSeconds ?? 0;
    if (this.#doneSeconds > 0 && this.#doneSeconds + UNNOTICED_SECONDS >= stated) return;
    if (stated === 0) throw new AsrError('audio-empty', 'the file holds no sound');
    throw new AsrError(
      'audio-truncated',
      `the file ends after ${this.#doneSeconds.toFixed(1)} of its ${stated.toFixed(1)} seconds`,
    );
  }
}

/** Keeps what is to be heard. */
class Trim {
  readonly #config: TrackConfig;
  /** Seconds before the sound starts; known with the first packet. */
  #lead: number | undefined;
  #firstSeconds = 0;
  #seen = 0;

  constructor(config: TrackConfig) {
    this.#config = config;
  }

  start(firstTimestamp: number): void {
    if (this.#lead !== undefined) return;
    this.#firstSeconds = firstTimestamp;
    this.#lead = Math.max(0, -firstTimestamp);
    // Matroska counts from the first sample decoded, MP4 from the first one heard.
    if (this.#config.codec === 'opus' && firstTimestamp >= 0) {
      this.#lead = opusHeadOf(this.#config).preSkip / 48_000;
    }
  }

  middle(blocks: readonly PcmBlock[]): PcmBlock[] {
    return this.end(blocks, undefined);
  }

  /** `endSeconds`: the time stamp at which the sound ends, if it is known. */
  end(blocks: readonly PcmBlock[], endSeconds: number | undefined): PcmBlock[] {
    const rate = blocks[0]?.sampleRate ?? this.#config.sampleRate;
    const start = Math.round((this.#lead ?? 0) * rate) - this.#seen;
    const end =
      endSeconds === undefined ? Infinity : Math.round((endSeconds - this.#firstSeconds) * rate) - this.#seen;
    this.#seen += blocks.reduce((sum, block) => sum + framesOf(block), 0);
    return cut(blocks, start, end);
  }
}
