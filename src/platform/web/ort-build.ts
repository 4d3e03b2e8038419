// Which build of onnxruntime-web to load, and where its files lie. All are served by us.
//
//   jspi      16.8 MB wasm   WebGPU and WASM; where WebAssembly can suspend (Chromium)
//   asyncify  26.8 MB wasm   WebGPU and WASM; elsewhere
//   plain     14.2 MB wasm   WASM only
//
// Sizes of 1.30.0, before compression. Only the chosen build's two files are fetched.

import type * as Ort from 'onnxruntime-web';
import asyncifyMjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import asyncifyWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import jspiMjs from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import jspiWasm from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import plainMjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import plainWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import type { OrtBuild } from './choose-build.ts';

export type OrtModule = typeof Ort;

/**
 * Loads a build. Each build is an ONNX Runtime of its own, with its own environment.
 *
 * @param threads threads of the CPU; more than one only works on a cross-origin isolated page
 */
export async function loadOrt(build: OrtBuild, threads: number): Promise<OrtModule> {
  const { ort, mjs, wasm } = await importBuild(build);
  ort.env.wasm.wasmPaths = { mjs: absolute(mjs), wasm: absolute(wasm) };
  ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? threads : 1;
  ort.env.logLevel = 'error';
  return ort;
}

async function importBuild(build: OrtBuild): Promise<{ ort: OrtModule; mjs: string; wasm: string }> {
  switch (build) {
    case 'jspi':
      return { ort: await import('onnxruntime-web/jspi'), mjs: jspiMjs, wasm: jspiWasm };
    case 'asyncify':
      return { ort: await import('onnxruntime-web/webgpu'), mjs: asyncifyMjs, wasm: asyncifyWasm };
    case 'plain':
      return { ort: await import('onnxruntime-web/wasm'), mjs: plainMjs, wasm: plainWasm };
  }
}

function absolute(url: string): string {
  return new URL(url, globalThis.location.href).href;
}
