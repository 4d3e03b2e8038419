// The directory of a safetensors file: which tensor lies where.
//
//   8 bytes    length n of the header, little-endian
//   n bytes    JSON: { name: { dtype, shape, data_offsets: [begin, end) }, …, "__metadata__": {…} }
//   the rest   the tensors, without a gap
//
// A checkpoint in several files has a `model.safetensors.index.json` that maps each name to a file.
// Whatever a header says is checked before a single byte of weights is believed.
// Source of the format: https://github.com/huggingface/safetensors, README, "Format".

import { AsrError } from '../errors.ts';
import { Fields } from '../fields.ts';
import type { ByteSource, CheckpointFiles } from './byte-source.ts';
import { parseJson, readOptionalJson, repeatedName } from './json-source.ts';

/** Number formats that weights are stored in, with their size. */
export const STORED_BYTES = { BF16: 2, F16: 2, F32: 4 } as const;
export type StoredType = keyof typeof STORED_BYTES;

/** Every type that the format knows; the others are well-formed, though no use to us. */
const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...STORED_BYTES,
    ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1 },
    ...{ U16: 2, I16: 2, U32: 4, I32: 4, U64: 8, I64: 8, F64: 8 },
  }),
);

/** Where one tensor lies. Row-major, little-endian. */
export interface StoredTensor {
  readonly name: string;
  /** A `StoredType`, unless the tensor is none of ours. */
  readonly type: string;
  readonly shape: readonly number[];
  readonly source: ByteSource;
  /** Of its first byte, from the beginning of the file. */
  readonly offset: number;
  readonly bytes: number;
}

// A real header is about 100 bytes per tensor. Ten megabytes is generous; more is a broken or hostile file.
const MAX_HEADER_BYTES = 10_000_000;
const LENGTH_BYTES = 8;
/** More dimensions than any weight has. */
const MAX_RANK = 8;
const INDEX = 'model.safetensors.index.json';

/** The directory of a checkpoint in one or several files. Fails with `checkpoint-not-found` or `checkpoint-malformed`. */
export async function readTensors(
  files: CheckpointFiles,
  signal: AbortSignal,
): Promise<Map<string, StoredTensor>> {
  const single = await files.open('model.safetensors', signal);
  if (single !== undefined) return readDirectory(single, signal);
  const index = await readOptionalJson(files, INDEX, signal);
  if (index === undefined) {
    throw new AsrError('checkpoint-not-found', `there is neither model.safetensors nor ${INDEX}`);
  }
  return readParts(files, new Fields(index, INDEX, 'checkpoint-malformed').object('weight_map'), signal);
}

async function readParts(
  files: CheckpointFiles,
  weightMap: Fields,
  signal: AbortSignal,
): Promise<Map<string, StoredTensor>> {
  const promised = new Map(weightMap.names().map((name) => [name, weightMap.string(name)]));
  const tensors = new Map<string, StoredTensor>();
  for (const part of [...new Set(promised.values())].sort()) {
    // A part that is no plain file name could lead anywhere.
    if (!/^\w[\w.-]*$/.test(part)) throw malformed(INDEX, `"${part}" is not a plain file name`);
    const source = await files.open(part, signal);
    if (source === undefined) throw new AsrError('checkpoint-not-found', `${part} is missing, says ${INDEX}`);
    for (const [name, tensor] of await readDirectory(source, signal)) {
      if (promised.get(name) !== part) throw malformed(INDEX, `does not expect ${name} in ${part}`);
      promised.delete(name);
      tensors.set(name, tensor);
    }
  }
  for (const [name, part] of promised) throw malformed(INDEX, `expects ${name} in ${part}, where it is not`);
  return tensors;
}

/** The directory of one file. */
export async function readDirectory(
  source: ByteSource,
  signal: AbortSignal,
): Promise<Map<string, StoredTensor>> {
  if (source.bytes < LENGTH_BYTES) throw malformed(source.name, `has only ${source.bytes} bytes`);
  const lengthBytes = await source.read(0, LENGTH_BYTES, signal);
  const headerBytes = Number(
    new DataView(lengthBytes.buffer, lengthBytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true),
  );
  if (headerBytes > MAX_HEADER_BYTES) {
    throw malformed(source.name, `claims a header of ${headerBytes} bytes; is it a safetensors file?`);
  }
  if (LENGTH_BYTES + headerBytes > source.bytes) throw malformed(source.name, 'ends within its header');
  return parseHeader(await source.read(LENGTH_BYTES, headerBytes, signal), source);
}

function parseHeader(header: Uint8Array, source: ByteSource): Map<string, StoredTensor> {
  const path = `${source.name} header`;
  const fields = new Fields(parseJson(header, path), path, 'checkpoint-malformed');
  const repeated = repeatedName(new TextDecoder().decode(header));
  if (repeated !== undefined) throw malformed(source.name, `describes ${repeated} twice`);
  const dataOffset = LENGTH_BYTES + header.length;
  const tensors = fields
    .names()
    .filter((name) => name !== '__metadata__')
    .map((name) => parseEntry(name, fields.object(name), source, dataOffset))
    .sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  checkCoverage(tensors, source, dataOffset);
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

function parseEntry(name: string, fields: Fields, source: ByteSource, dataOffset: number): StoredTensor {
  const type = fields.string('dtype');
  const elementBytes = ELEMENT_BYTES.get(type);
  if (elementBytes === undefined) throw malformed(source.name, `${name} has the unknown type "${type}"`);
  const shape = fields.integers('shape');
  const [begin, end, ...more] = fields.integers('data_offsets');
  if (begin === undefined || end === undefined || more.length > 0 || begin < 0 || end < begin) {
    throw malformed(source.name, `${name} has no [begin, end) in data_offsets`);
  }
  if (shape.length > MAX_RANK || shape.some((size) => size < 0)) {
    throw malformed(source.name, `${name} has the shape [${shape.join(', ')}]`);
  }
  // Past 2⁵³ the product is no longer exact, but then it is larger than any file.
  const bytes = shape.reduce((product, size) => product * size, elementBytes);
  if (bytes !== end - begin) {
    throw malformed(source.name, `${name} should have ${bytes} bytes, has ${end - begin}`);
  }
  return { name, type, shape, source, offset: dataOffset + begin, bytes };
}

/** Tensors lie one behind the other from the header to the end of the file: no overlap, no gap, nothing cut off. */
function checkCoverage(tensors: readonly StoredTensor[], source: ByteSource, dataOffset: number): void {
  let end = dataOffset;
  for (const { name, offset, bytes } of tensors) {
    if (offset < end) throw malformed(source.name, `${name} overlaps the tensor before it`);
    if (offset > end) throw malformed(source.name, `there is a gap before ${name}`);
    end = offset + bytes;
  }
  if (end > source.bytes) throw malformed(source.name, `should have ${end} bytes, has ${source.bytes}`);
  if (end < source.bytes)
    throw malformed(source.name, `has ${source.bytes - end} bytes more than its header says`);
}

function malformed(name: string, what: string): AsrError {
  return new AsrError('checkpoint-malformed', `${name}: ${what}`);
}
