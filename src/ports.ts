// What Sotto asks of a machine. The pure rooms know these shapes only; `platform/` answers them
// and the doors choose which answer to hand in.

/** Where the arithmetic runs. */
export type Provider = 'cpu' | 'wasm' | 'webgpu' | 'cuda';

export type ElementType = 'float32' | 'float16' | 'int32' | 'int64';

export type TensorData = Float32Array | Uint16Array | Int32Array | BigInt64Array;

/**
 * A dense array, row-major, in ordinary memory or on the device.
 *
 * Who creates a tensor disposes it; so does who receives one from `Session.run`.
 */
export interface Tensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** The numbers. Throws when they live on the device: ask `Runtime.read`. float16 is raw bits in a Uint16Array. */
  readonly data: unknown;
  dispose(): void;
}

/** One graph, loaded. Runs are serialised by the runtime that made it. */
export interface Session {
  /**
   * Runs the graph once and returns the outputs named in `outputs`.
   * `into` gives tensors to write an output to, in place (only where `Runtime.sharesCache`).
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs: readonly string[],
    into?: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** A file of an installed model. */
export interface ModelFile {
  /** The name that graphs and manifest use. */
  readonly path: string;
  readonly bytes: number;
  /** Its content; fails with `weights-missing` or `weights-corrupt`. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
  /** Where it lies on disk, when it does: a runtime may then map it into memory instead of reading it. */
  readonly diskPath?: string;
}

export interface SessionSource {
  readonly graph: ModelFile;
  /** The files that hold the graph's weights (ONNX external data). */
  readonly shards: readonly ModelFile[];
  /** Outputs to leave on the device, where there is one. */
  readonly onDevice: readonly string[];
}

/** A machine that runs graphs. */
export interface Runtime {
  readonly provider: Provider;
  /** Adapter, thread count and the like, for people to read. */
  readonly description: string;
  /** The number format that activations may use: float16 only where the device computes it. */
  readonly activation: 'float32' | 'float16';
  /**
   * How the KV cache lives between steps (measured per provider, see ARCHITECTURE.md):
   * `shared`: one buffer of fixed length is past and present at once;
   * `fixed`: a buffer of fixed length goes in, the returned one is the next past;
   * `growing`: past has just the length used so far, the returned one is the next past.
   */
  readonly cache: 'shared' | 'fixed' | 'growing';
  /** A tensor in ordinary memory over `data` (not copied). */
  tensor(type: ElementType, data: TensorData, dims: readonly number[]): Tensor;
  /** A tensor of zeros where the cache belongs (on the device, if there is one). */
  zeros(type: 'float32' | 'float16', dims: readonly number[]): Promise<Tensor>;
  /** The numbers of a tensor, fetched from the device if need be. */
  read(tensor: Tensor): Promise<TensorData>;
  createSession(source: SessionSource): Promise<Session>;
  /** Ends all sessions and gives the device back. */
  release(): Promise<void>;
}

/**
 * Where the files of one installed model lie. Reading side only; who fills it is a downloader's
 * business (see `ShardStore`).
 */
export interface ModelFiles {
  /** manifest.json, parsed but unchecked. Fails with `model-not-found`. */
  manifest(): Promise<unknown>;
  file(path: string, bytes: number): ModelFile;
}

/** What a store says of a file: whole, or unfinished with its first `bytes` bytes there. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  readonly whole: boolean;
}

/**
 * Room for the files of one model, by the names in its manifest. A file is whole only when someone who
 * checked its hash said so (`finish`, `write`); the manifest goes in last. Every change is atomic: a crash
 * leaves the state before or after it. Everything fails with `storage-denied` or `output-unwritable` where
 * storage cannot be had, and writing with `storage-full`, which leaves what was there before.
 */
export interface ShardStore {
  list(): Promise<StoredFile[]>;
  /** A whole file. Fails with `weights-missing`, or `weights-corrupt` when storage has lost part of it. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** What is there of a file, whole or not, a few MiB at a time; nothing if there is none. Ends early where storage has lost something. */
  stream(path: string): AsyncIterable<Uint8Array>;
  /** Puts a whole file, replacing what was there. */
  write(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Adds to the end of an unfinished file, at `startByte`. Fails with `model-busy` when it does not end there. */
  append(path: string, startByte: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes an unfinished file whole. Fails with `weights-missing` if there is none. */
  finish(path: string): Promise<void>;
  /** Keeps at most the first `keepBytes` bytes of a file, which is unfinished afterwards. */
  truncate(path: string, keepBytes: number): Promise<void>;
  /** Deletes a file, whole or not; nothing happens if there is none. */
  delete(path: string): Promise<void>;
}

/** A model that has something stored. It can be loaded when its manifest is there: `whole`. */
export interface StoredModel {
  readonly id: string;
  readonly storedBytes: number;
  readonly whole: boolean;
}

/** All models that a machine keeps, side by side. An `id` is a plain file name. */
export interface ModelLibrary {
  list(): Promise<StoredModel[]>;
  store(id: string): ShardStore;
  /** Deletes everything of a model and frees its room. Fails with `model-busy` while someone writes it and does not stop. */
  delete(id: string): Promise<void>;
  /** Bytes that may still be stored, where the machine says so. */
  freeBytes(): Promise<number | undefined>;
  /**
   * Runs `work` while nobody else, in this or another tab or process, does so under the same id.
   * Waits for its turn, calling `onWait` once if it has to; the signal ends the waiting.
   */
  exclusively<T>(
    id: string,
    work: () => Promise<T>,
    options: { readonly signal: AbortSignal; readonly onWait?: () => void },
  ): Promise<T>;
}

/** What a voice model is asked about at once: 32 ms at 16 kHz. */
export const VOICE_FRAME_SAMPLES = 512;

/** What a voice model remembers of the sound so far. */
export interface VoiceMemory {
  readonly context: Float32Array;
  readonly state: Float32Array;
}

/** Tells how likely somebody speaks. It runs beside the model that reads, never on its device. */
export interface VoiceModel {
  /**
   * Hears the next whole frames of a sound; `memory` is that of the part before, absent at the sound's
   * start. The same sound gives the same likelihoods (0 … 1, one per frame) however it is cut.
   */
  hear(
    samples: Float32Array,
    memory?: VoiceMemory,
  ): Promise<{ readonly likelihoods: Float32Array; readonly memory: VoiceMemory }>;
  release(): Promise<void>;
}
