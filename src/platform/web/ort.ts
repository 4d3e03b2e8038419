// The Runtime port over onnxruntime-web, on WebGPU or WASM. Lives in a worker.
//
// One lane for create, run and release: overlapping calls hang or break the WebGPU build
// (measured with 1.30.0).

import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { AsrError, assert } from '../../errors.ts';
import type { Runtime, Session, SessionSource, Tensor, TensorData } from '../../ports.ts';
import { chooseBuild, type OrtBuild } from './choose-build.ts';
import { type Gpu, type GpuOptions, openGpu } from './gpu-device.ts';
import { loadOrt, type OrtModule } from './ort-build.ts';

export type WebRuntimeOptions =
  | ({ readonly provider: 'webgpu' } & GpuOptions)
  | {
      readonly provider: 'wasm';
      readonly threads?: number;
      /** Not the smallest one, but one whose files are here already. */
      readonly build?: OrtBuild;
    };

export interface WebRuntime extends Runtime {
  /** The device underneath, if there is one; its `lost` promise tells when it went away. */
  readonly gpu: Gpu | undefined;
}

/** Opens WebGPU or WASM. Fails with `device-unavailable`. */
export async function createWebRuntime(options: WebRuntimeOptions): Promise<WebRuntime> {
  const threads = options.provider === 'wasm' ? (options.threads ?? defaultThreads()) : defaultThreads();
  const gpu = options.provider === 'webgpu' ? await openGpu(options) : undefined;
  const build = (options.provider === 'wasm' ? options.build : undefined) ?? chooseBuild(options.provider);
  const ort = await loadOrt(build, threads);
  return new OrtWebRuntime(ort, build, gpu);
}

/** Threads that leave the page and the audio a core. */
function defaultThreads(): number {
  return Math.max(
    1,
    Math.min(8, (navigator.hardwareConcurrency ?? 2) - (navigator.hardwareConcurrency > 2 ? 1 : 0)),
  );
}

class OrtWebRuntime implements WebRuntime {
  readonly provider: 'webgpu' | 'wasm';
  readonly description: string;
  readonly activation: 'float32' | 'float16';
  readonly cache: 'shared' | 'growing';
  readonly gpu: Gpu | undefined;
  readonly #ort: OrtModule;
  readonly #sessions = new Set<InferenceSession>();
  #lane: Promise<unknown> = Promise.resolve();
  #lost: GPUDeviceLostInfo | undefined;
  /** What the browser refused to the graphics device: what it computes from then on means nothing. */
  #refused: AsrError | undefined;
  /** Rejects with it: ONNX Runtime itself may wait for ever then. */
  readonly #refusal: Promise<never>;
  /** A timer would wait four milliseconds each time; a message comes at once. */
  readonly #turn = new MessageChannel();

  constructor(ort: OrtModule, build: OrtBuild, gpu: Gpu | undefined) {
    this.#ort = ort;
    this.gpu = gpu;
    this.provider = gpu === undefined ? 'wasm' : 'webgpu';
    this.activation = gpu?.halfPrecision ? 'float16' : 'float32';
    // In the web builds a pre-allocated tensor in ordinary memory is silently not written to; a GPU buffer is.
    this.cache = gpu === undefined ? 'growing' : 'shared';
    const threads = ort.env.wasm.numThreads ?? 1;
    this.description =
      gpu?.description ?? `WASM, ${threads} ${threads === 1 ? 'thread' : 'threads'} (${build})`;
    void gpu?.device.lost.then((info) => (this.#lost = info));
    this.#refusal = new Promise((_, reject) => {
      gpu?.device.addEventListener('uncapturederror', ({ error }) => {
        this.#refused ??= refusal(error);
        reject(this.#refused);
      });
    });
    this.#refusal.catch(() => undefined); // told to whoever waits for something
  }

  tensor(type: 'float32' | 'float16' | 'int32' | 'int64', data: TensorData, dims: readonly number[]): Tensor {
    return new this.#ort.Tensor(type, data as never, dims);
  }

  zeros(type: 'float32' | 'float16', dims: readonly number[]): Promise<Tensor> {
    const size = dims.reduce((product, n) => product * n, 1);
    if (this.gpu === undefined || size === 0) {
      const data = type === 'float32' ? new Float32Array(size) : new Uint16Array(size);
      return Promise.resolve(this.tensor(type, data, dims));
    }
    const bytes = size * (type === 'float32' ? 4 : 2);
    const buffer = this.gpu.device.createBuffer({
      size: Math.ceil(bytes / 16) * 16,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    return Promise.resolve(
      this.#ort.Tensor.fromGpuBuffer(buffer, { dataType: type, dims, dispose: () => buffer.destroy() }),
    );
  }

  async read(tensor: Tensor): Promise<TensorData> {
    const located = tensor as OrtTensor;
    if (located.location === 'cpu') return located.data as TensorData;
    return this.#enqueue(async () => (await located.getData()) as TensorData);
  }

  async createSession(source: SessionSource): Promise<Session> {
    const session = await this.#enqueue(() => this.#open(source));
    this.#sessions.add(session);
    return {
      run: (feeds, outputs, into = {}) => {
        const fetches = Object.fromEntries(outputs.map((name) => [name, into[name] ?? null]));
        return this.#enqueue(async () => {
          if (this.gpu === undefined) await this.#nextTurn();
          const results = await session.run(
            feeds as Record<string, OrtTensor>,
            fetches as Record<string, OrtTensor | null>,
          );
          return results;
        });
      },
      release: async () => {
        this.#sessions.delete(session);
        if (this.#refused === undefined) await this.#enqueue(() => session.release());
      },
    };
  }

  async release(): Promise<void> {
    // What the browser refused may never answer.
    if (this.#refused !== undefined) this.#sessions.clear();
    for (const session of this.#sessions) await this.#enqueue(() => session.release());
    this.#sessions.clear();
    this.#turn.port1.close();
    this.gpu?.device.destroy();
  }

  /** WASM computes without ever leaving its task; between runs the thread must get to hear of an abort. */
  async #nextTurn(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#turn.port1.onmessage = () => resolve();
      this.#turn.port2.postMessage(null);
    });
  }

  /** One thing at a time, in order. A lost device is told from other failures. */
  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lane.then(async () => {
      this.#assertPresent();
      try {
        return await Promise.race([work(), this.#refusal]);
      } catch (error) {
        // The device's promise settles a little after the call that noticed.
        await Promise.race([this.gpu?.device.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
        this.#assertPresent(error);
        throw error;
      }
    });
    this.#lane = result.catch(() => undefined);
    return result;
  }

  #assertPresent(cause?: unknown): void {
    if (this.#refused !== undefined) throw this.#refused;
    if (this.#lost === undefined) return;
    throw new AsrError(
      'device-lost',
      `the graphics device was lost: ${this.#lost.message || this.#lost.reason}`,
      {
        cause,
      },
    );
  }

  async #open({ graph, shards, onDevice }: SessionSource): Promise<InferenceSession> {
    const gpu = this.gpu;
    try {
      // One shard after the other: the store reads each into memory, ONNX Runtime copies it on.
      const externalData: { path: string; data: Uint8Array }[] = [];
      for (const shard of shards) externalData.push({ path: shard.path, data: await shard.read() });
      return await this.#ort.InferenceSession.create(await graph.read(), {
        executionProviders: gpu === undefined ? ['wasm'] : [{ name: 'webgpu', device: gpu.device }],
        externalData,
        logSeverityLevel: 3,
        ...(gpu !== undefined && {
          preferredOutputLocation: Object.fromEntries(onDevice.map((name) => [name, 'gpu-buffer' as const])),
        }),
      });
    } catch (cause) {
      throw explain(cause, graph.path);
    }
  }
}

/** A buffer that is too large, memory that is used up: ONNX Runtime computes on without noticing. */
function refusal(error: GPUError): AsrError {
  const [line = ''] = error.message.split('\n', 1);
  const code = error instanceof GPUOutOfMemoryError ? 'out-of-memory' : 'device-unavailable';
  return new AsrError(code, `the browser refused something to the graphics device: ${line}`);
}

/** What ONNX Runtime's message means for a person. */
function explain(cause: unknown, path: string): unknown {
  if (cause instanceof AsrError) return cause;
  assert(cause instanceof Error, 'ONNX Runtime throws errors');
  if (cause instanceof RangeError || /bad_alloc|out of memory|allocation failed/i.test(cause.message)) {
    return new AsrError('out-of-memory', `${path} does not fit into memory`, { cause });
  }
  const line = cause.message.split('\n', 1)[0] ?? '';
  return new AsrError('device-unavailable', `${path} cannot be loaded here: ${line}`, { cause });
}
