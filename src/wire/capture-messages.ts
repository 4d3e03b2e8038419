// What the audio thread says, and to whom:
//
//   capture.worklet ── sound packets ──► the thread that reads   (conditioned: gain, frames, verdicts)
//                   ── slices ─────────► the thread that keeps   (as recorded, 16 bits)
//                   ── levels ─────────► the page                (numbers for a meter, no sound)
//
// Buffers are moved there, and moved back when they are done with, to be filled again.

/** What a MessagePort and a worker's end of it have in common on every platform. */
export interface SoundPort {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  close(): void;
}

/** The room in one packet. */
export const PACKET_SAMPLES = 2048;
export const PACKET_FRAMES = 16;
export const PACKET_HOPS = 64;

/**
 * Conditioned sound at 16 kHz. Positions are those of the recording; samples, frames and verdicts are
 * each without gaps, but need not reach equally far.
 */
export interface SoundPacket {
  readonly type: 'sound';
  readonly startSample: number;
  readonly sampleCount: number;
  readonly melBins: number;
  readonly firstFrame: number;
  readonly frameCount: number;
  readonly hopCount: number;
  /** Samples, then frames [frameCount, melBins], then per hop its level in dB and 1 for speech; each in its own room. */
  readonly numbers: Float32Array<ArrayBuffer>;
}

export type FromMicrophone =
  | SoundPacket
  /** Nothing more comes: the recording is this long. */
  | { readonly type: 'end'; readonly samples: number };

export function packetNumbers(melBins: number): number {
  return PACKET_SAMPLES + PACKET_FRAMES * melBins + 2 * PACKET_HOPS;
}

/** Where a packet's frames and verdicts begin in its numbers. */
export function packetPlaces(melBins: number): { readonly frames: number; readonly hops: number } {
  return { frames: PACKET_SAMPLES, hops: PACKET_SAMPLES + PACKET_FRAMES * melBins };
}

/** A packet as the engine takes it. Samples and frames are good until the packet's buffer goes back. */
export interface PacketBlock {
  readonly startSample: number;
  readonly samples: Float32Array;
  readonly logMel: Float32Array;
  readonly melBins: number;
  readonly firstFrame: number;
  readonly activity: readonly { readonly levelDb: number; readonly speech: boolean }[];
}

export function blockOf(packet: SoundPacket): PacketBlock {
  const { startSample, sampleCount, melBins, firstFrame, frameCount, hopCount, numbers } = packet;
  const { frames, hops } = packetPlaces(melBins);
  return {
    startSample,
    samples: numbers.subarray(0, sampleCount),
    logMel: numbers.subarray(frames, frames + frameCount * melBins),
    melBins,
    firstFrame,
    activity: Array.from({ length: hopCount }, (_, i) => ({
      levelDb: numbers[hops + 2 * i] ?? 0,
      speech: numbers[hops + 2 * i + 1] === 1,
    })),
  };
}

/** The recording itself, before gain: 16 kHz, 16 bits. */
export type ToJournal =
  | {
      readonly type: 'slice';
      readonly startSample: number;
      readonly count: number;
      readonly samples: Int16Array<ArrayBuffer>;
    }
  | { readonly type: 'end'; readonly samples: number };

/** What the page tells the audio thread. */
export type ToCapture =
  | {
      readonly type: 'begin';
      readonly sound: SoundPort;
      readonly journal: SoundPort;
      /** Lift quiet speech. */
      readonly gain: boolean;
      readonly melBins: number;
    }
  /** No more sound until `resume`; a moment of silence is put in its place, which ends the words before it. */
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stop' };

/** What the page hears from the audio thread. */
export type FromCapture =
  | {
      readonly type: 'level';
      /** Of the loudest 10 ms since the last one, dBFS. */
      readonly levelDb: number;
      /** Of the loudest sample, as the device gave it. */
      readonly peak: number;
      /** By how much speech is lifted now. */
      readonly gainDb: number;
      readonly speech: boolean;
      /** What the device has given so far, and what became of it at 16 kHz. */
      readonly deviceSamples: number;
      readonly recordedSamples: number;
    }
  | { readonly type: 'stopped'; readonly recordedSamples: number };
