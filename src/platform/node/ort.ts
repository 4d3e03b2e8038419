// The Runtime port over onnxruntime-node. Its run() blocks the calling thread, so a door uses this
// in a process of its own (engine-process.ts) unless nothing else waits.

import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { AsrError, assert } from '../../errors.ts';
import type { ModelFile, Runtime, Session, SessionSource, Tensor, TensorData } from '../../ports.ts';

export type NodeProvider = 'cpu' | 'webgpu' | 'cuda';

export interface NodeRuntimeOptions {
  readonly provider: NodeProvider;
  /** Threads of one product; default: the cores that this process may use. */
  readonly threads?: number;
}

/**
 * Opens a provider.
 *
 * The provider itself is only touched when the first session is made; a missing one then fails with
 * `device-unavailable`.
 */
export function createNodeRuntime({
  provider,
  threads = availableParallelism(),
}: NodeRuntimeOptions): Runtime {
  const sessions = new Set<InferenceSession>();
  return {
    provider,
    description: provider === 'cpu' ? `CPU, ${threads} threads` : provider === 'cuda' ? 'CUDA' : 'WebGPU',
    // onnxruntime-node offers no way to ask a GPU for half precision; the manifest's float32 pair serves all.
    activation: provider === 'cuda' ? 'float16' : 'float32',
    // Measured: in-place present works on CPU; the WebGPU provider of Node needs the returned buffer fed back.
    cache: provider === 'cpu' ? 'shared' : provider === 'webgpu' ? 'fixed' : 'growing',
    tensor: (type, data, dims) => new OrtTensor(type, data as never, dims),
    zeros: async (type, dims) => zeros(type, dims),
    read: async (tensor) => tensor.data as TensorData,
    createSession: async (source) => {
      const session = await openSession(source, provider, threads);
      sessions.add(session);
      return wrap(session, () => sessions.delete(session));
    },
    release: async () => {
      for (const session of sessions) await session.release();
      sessions.clear();
    },
  };
}

function zeros(type: 'float32' | 'float16', dims: readonly number[]): Tensor {
  const size = dims.reduce((product, n) => product * n, 1);
  const data = type === 'float32' ? new Float32Array(size) : new Uint16Array(size);
  return new OrtTensor(type, data as never, dims);
}

function wrap(session: InferenceSession, forget: () => void): Session {
  return {
    async run(feeds, outputs, into = {}) {
      const fetches = Object.fromEntries(outputs.map((name) => [name, into[name] ?? null]));
      const results = await session.run(
        feeds as Record<string, OrtTensor>,
        fetches as Record<string, OrtTensor>,
      );
      return results;
    },
    async release() {
      forget();
      await session.release();
    },
  };
}

async function openSession(
  source: SessionSource,
  provider: NodeProvider,
  threads: number,
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
    ...(provider === 'cpu' && productsSaturate() && { extra: { session: { x64quantprecision: '1' } } }),
    ...(provider === 'webgpu' && {
      preferredOutputLocation: Object.fromEntries(
        source.onDevice.map((name) => [name, 'gpu-buffer' as const]),
      ),
    }),
  };
  try {
    return await create(source, options);
  } catch (cause) {
    throw explain(cause, source, provider);
  }
}

/**
 * Whether products of eight-bit integers overflow half-way: on x86 processors that lack VNNI (measured: states off
 * by 1.0 instead of 0.08). The way around takes 1.8 times as long and copies the weights. Where the system does not
 * say what the processor can, it is taken.
 */
function productsSaturate(): boolean {
  if (process.arch !== 'x64') return false;
  try {
    return !/\b(avx512_vnni|avx_vnni)\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return true; // not Linux
  }
}

/** From disk the graph's weights are mapped into memory; else they are handed over as bytes. */
async function create(
  { graph, shards }: SessionSource,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  if (graph.diskPath !== undefined) return InferenceSession.create(graph.diskPath, options);
  const externalData = await Promise.all(
    shards.map(async (shard) => ({ path: shard.path, data: await shard.read() })),
  );
  return InferenceSession.create(await graph.read(), { ...options, externalData });
}

/** What ONNX Runtime's message means for a person. */
function explain(cause: unknown, { graph, shards }: SessionSource, provider: NodeProvider): AsrError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof AsrError) return cause;
  if (/bad_alloc|out of memory|Failed to allocate/i.test(message)) {
    return new AsrError('out-of-memory', `${graph.path} does not fit into memory`, { cause });
  }
  if (provider !== 'cpu' && /provider|adapter|device|library|libcu/i.test(message)) {
    return new AsrError('device-unavailable', `${provider} cannot be used here: ${firstLine(message)}`, {
      cause,
    });
  }
  const missing = shards.find((shard) => message.includes(shard.path));
  if (missing !== undefined)
    return new AsrError('weights-missing', `${missing.path} cannot be read`, { cause });
  return new AsrError('weights-corrupt', `${graph.path} cannot be loaded: ${firstLine(message)}`, { cause });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** For tests and tools: a model file held in memory. */
export function memoryFile(path: string, bytes: Uint8Array<ArrayBuffer>): ModelFile {
  assert(path !== '', 'a file has a name');
  return { path, bytes: bytes.byteLength, read: async () => bytes };
}
