// Sound between a server and a page: 16 kHz, one channel, 16 bits, little-endian, nothing else.

/** Below `/api`. */
export const SOUND_PATH = 'sound';

const FULL_SCALE = 32_767;

export function packSound(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  samples.forEach((sample, i) =>
    view.setInt16(2 * i, Math.round(Math.max(-1, Math.min(1, sample)) * FULL_SCALE), true),
  );
  return new Uint8Array(view.buffer);
}

/** Samples of a whole number of byte pairs. */
export function unpackSound(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => view.getInt16(2 * i, true) / FULL_SCALE);
}
