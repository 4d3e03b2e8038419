// Which of onnxruntime-web's builds serves this browser (ort-build.ts loads it). Page, worker, service worker.

export type OrtBuild = 'jspi' | 'asyncify' | 'plain';

/** The smallest build that serves `provider` in this browser. */
export function chooseBuild(provider: 'webgpu' | 'wasm'): OrtBuild {
  if ('Suspending' in WebAssembly) return 'jspi';
  return provider === 'webgpu' ? 'asyncify' : 'plain';
}
