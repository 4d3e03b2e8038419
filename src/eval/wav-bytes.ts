// Samples → a WAV file of 16 bits, mono: what the scenes are stored as.

const HEADER_BYTES = 44;

/** The nearest numbers that 16 bits hold, as integers; what lies beyond full scale is clipped. */
export function to16Bit(samples: Float32Array | Float64Array): Int16Array {
  return Int16Array.from(samples, (sample) =>
    Math.max(-32768, Math.min(32767, Math.floor(sample * 32768 + 0.5))),
  );
}

/** A whole file: RIFF header, `fmt `, `data`. */
export function wavBytes(samples: Int16Array, sampleRate: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const letters = (at: number, text: string): void => {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  };
  letters(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  letters(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); //                 PCM
  view.setUint16(22, 1, true); //                 one channel
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true); //    bytes per second
  view.setUint16(32, 2, true); //                 bytes per frame
  view.setUint16(34, 16, true);
  letters(36, 'data');
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(HEADER_BYTES + 2 * i, sample, true));
  return bytes;
}
