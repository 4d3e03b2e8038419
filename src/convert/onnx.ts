// A writer for the part of the ONNX file format that our graphs need.
//
// ONNX is protobuf. A message is a row of fields: a tag (field number and wire type), then a varint,
// four raw bytes, or a length and that many bytes. Field numbers: onnx/onnx.proto of onnx 1.17 (IR 10).

/** Element types with their codes in TensorProto.DataType and their sizes. */
const ELEMENT = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
} as const;

export type OnnxType = keyof typeof ELEMENT;

export function elementBytes(type: OnnxType): number {
  return ELEMENT[type].bytes;
}

/** The code by which attributes such as Cast's `to` name a type. */
export function typeCode(type: OnnxType): number {
  return ELEMENT[type].code;
}

/** A size, or the name of one that is known only when the graph runs. */
export type Dim = number | string;

export type Attribute =
  { readonly int: number } | { readonly float: number } | { readonly ints: readonly number[] };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** '' for ONNX's own operators. */
  readonly domain: string;
  /** '' for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant: its bytes right here, or in a file beside the graph. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly data: Uint8Array | { readonly location: string; readonly offset: number; readonly bytes: number };
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly Dim[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

const IR_VERSION = 10;
const OPSETS = { '': 21, 'com.microsoft': 1 };

/** The bytes of an .onnx file. The same graph gives the same bytes. */
export function encodeModel(graph: OnnxGraph, producer: string): Uint8Array<ArrayBuffer> {
  const model = new Message().int(1, IR_VERSION).text(2, producer).message(7, graphMessage(graph));
  for (const [domain, version] of Object.entries(OPSETS)) {
    model.message(8, new Message().text(1, domain).int(2, version));
  }
  return model.bytes();
}

function graphMessage(graph: OnnxGraph): Message {
  const message = new Message();
  for (const node of graph.nodes) message.message(1, nodeMessage(node));
  message.text(2, graph.name);
  for (const tensor of graph.initializers) message.message(5, tensorMessage(tensor));
  for (const value of graph.inputs) message.message(11, valueMessage(value));
  for (const value of graph.outputs) message.message(12, valueMessage(value));
  return message;
}

function nodeMessage(node: OnnxNode): Message {
  const message = new Message();
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  message.text(3, node.name).text(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    message.message(5, attributeMessage(name, value));
  }
  return node.domain === '' ? message : message.text(7, node.domain);
}

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function attributeMessage(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if ('float' in value) return message.float(2, value.float).int(20, ATTRIBUTE_FLOAT);
  if ('int' in value) return message.int(3, value.int).int(20, ATTRIBUTE_INT);
  for (const int of value.ints) message.int(8, int);
  return message.int(20, ATTRIBUTE_INTS);
}

const DATA_LOCATION_EXTERNAL = 1;

function tensorMessage({ name, type, dims, data }: OnnxTensor): Message {
  const message = new Message();
  for (const size of dims) message.int(1, size);
  message.int(2, typeCode(type)).text(8, name);
  if (data instanceof Uint8Array) return message.raw(9, data);
  const { location, offset, bytes } = data;
  for (const [key, value] of Object.entries({ location, offset, length: bytes })) {
    message.message(13, new Message().text(1, key).text(2, String(value)));
  }
  return message.int(14, DATA_LOCATION_EXTERNAL);
}

function valueMessage({ name, type, shape }: OnnxValue): Message {
  const dims = new Message();
  for (const dim of shape) {
    dims.message(1, typeof dim === 'number' ? new Message().int(1, dim) : new Message().text(2, dim));
  }
  const tensorType = new Message().int(1, typeCode(type)).message(2, dims);
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
}

const WIRE_VARINT = 0;
const WIRE_LENGTH = 2;
const WIRE_FOUR_BYTES = 5;

/** A protobuf message under construction: bytes that grow. */
class Message {
  #buffer = new Uint8Array(64);
  #length = 0;

  int(field: number, value: number): this {
    this.#tag(field, WIRE_VARINT);
    return this.#varint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): this {
    this.#tag(field, WIRE_FOUR_BYTES);
    return this.#append(new Uint8Array(Float32Array.of(value).buffer));
  }

  text(field: number, value: string): this {
    return this.raw(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    return this.raw(field, value.#buffer.subarray(0, value.#length));
  }

  raw(field: number, bytes: Uint8Array): this {
    this.#tag(field, WIRE_LENGTH);
    this.#varint(BigInt(bytes.length));
    return this.#append(bytes);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  #tag(field: number, wire: number): void {
    this.#varint(BigInt((field << 3) | wire));
  }

  /** Seven bits a byte, lowest first; the eighth says that more follow. */
  #varint(value: bigint): this {
    const bytes: number[] = [];
    for (let rest = value; ; rest >>= 7n) {
      const more = rest > 127n;
      bytes.push(Number(rest & 127n) | (more ? 128 : 0));
      if (!more) break;
    }
    return this.#append(Uint8Array.from(bytes));
  }

  #append(bytes: Uint8Array): this {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.#buffer.length, length));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
    return this;
  }
}
