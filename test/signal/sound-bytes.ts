// Writes the sound files that the tests read: byte by byte, so that every lie a header can tell is possible.

export type Part = string | number[] | Uint8Array;

export const u16 = (n: number, little = true): number[] =>
  little ? [n & 255, (n >> 8) & 255] : [(n >> 8) & 255, n & 255];
export const u32 = (n: number, little = true): number[] => {
  const bytes = [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255];
  return little ? bytes : bytes.reverse();
};

export function join(...parts: Part[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? [...part].map((c) => c.charCodeAt(0)) : [...part])),
  );
}

/** A chunk with its pad byte; `claimedBytes` lies about its size. */
export function chunk(
  id: string,
  content: Uint8Array | number[],
  claimedBytes = content.length,
  little = true,
) {
  return join(id, u32(claimedBytes, little), content, content.length % 2 ? [0] : []);
}

export interface FormatFields {
  tag?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  blockBytes?: number;
  extra?: number[];
}

export function fmt(fields: FormatFields = {}, little = true): Uint8Array<ArrayBuffer> {
  const { tag = 1, channels = 1, rate = 16_000, bits = 16, extra = [] } = fields;
  const blockBytes = fields.blockBytes ?? channels * Math.ceil(bits / 8);
  const content = [
    ...[...u16(tag, little), ...u16(channels, little), ...u32(rate, little)],
    ...[...u32(rate * blockBytes, little), ...u16(blockBytes, little), ...u16(bits, little)],
    ...extra,
  ];
  return chunk('fmt ', content, content.length, little);
}

export function riff(chunks: Part[], magic = 'RIFF', claimedBytes?: number): Uint8Array<ArrayBuffer> {
  const body = join('WAVE', ...chunks);
  return join(magic, u32(claimedBytes ?? body.length, magic !== 'RIFX'), body);
}

/** WAVE_FORMAT_EXTENSIBLE's extra fields for a plain format tag. */
export function extensible(tag: number, validBits: number, mask = 0): number[] {
  const tail = [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];
  return [...u16(22), ...u16(validBits), ...u32(mask), ...u16(tag), ...tail];
}

export function int16s(samples: readonly number[], little = true): Uint8Array<ArrayBuffer> {
  return join(samples.flatMap((s) => u16(Math.round(s * 32_768), little)));
}

/** A rate as AIFF writes it: an 80-bit extended float. */
export function extended(rate: number): number[] {
  const exponent = Math.floor(Math.log2(rate));
  const high = Math.floor((rate / 2 ** exponent) * 2 ** 31);
  const low = Math.round(((rate / 2 ** exponent) * 2 ** 31 - high) * 2 ** 32);
  return [...u16(16_383 + exponent, false), ...u32(high, false), ...u32(low, false)];
}

export interface AiffFields {
  channels?: number;
  frames?: number;
  bits?: number;
  rate?: number;
  compression?: string;
}

export function aiff(fields: AiffFields, sound: Part, claimedBytes?: number): Uint8Array<ArrayBuffer> {
  const { channels = 1, frames = 0, bits = 16, rate = 44_100, compression } = fields;
  const common = join(
    u16(channels, false),
    u32(frames, false),
    u16(bits, false),
    extended(rate),
    compression ?? '',
  );
  const data = join(u32(0, false), u32(0, false), sound);
  const body = join(
    compression === undefined ? 'AIFF' : 'AIFC',
    chunk('COMM', common, common.length, false),
    chunk('SSND', data, claimedBytes ?? data.length, false),
  );
  return join('FORM', u32(body.length, false), body);
}
