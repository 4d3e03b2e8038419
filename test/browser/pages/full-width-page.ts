// In the page: the device, the graphs, the reading. Called by scripts/full-width.

import type { InferenceSession } from 'onnxruntime-common';
import { parseManifest } from '../../../src/model/manifest.ts';
import { GraphRunner, type Ort, type Prompt } from '../../fixtures/graph-runner.ts';
import { read } from '../../fixtures/full-width-reading.ts';

interface Runtime extends Ort {
  readonly env: { readonly wasm: { wasmPaths?: string }; logLevel?: string };
}

async function readHere(given: { features: number[]; prompt: Prompt }): Promise<Record<string, number[]>> {
  const ort = (await import(
    /* @vite-ignore */ new URL('runtime/ort.webgpu.bundle.min.mjs', location.href).href
  )) as Runtime;
  ort.env.wasm.wasmPaths = new URL('runtime/', location.href).href;
  ort.env.logLevel = 'error';
  const device = await (await navigator.gpu.requestAdapter())?.requestDevice();
  if (device === undefined) throw new Error('there is no WebGPU adapter');
  const refused: string[] = [];
  device.addEventListener('uncapturederror', ({ error }) => refused.push(error.message));
  const fetched = async (path: string): Promise<Uint8Array> =>
    new Uint8Array(await (await fetch(`model/${path}`)).arrayBuffer());
  const manifest = parseManifest(JSON.parse(new TextDecoder().decode(await fetched('manifest.json'))));
  const pair = manifest.graphs.find(({ activation }) => activation === 'float32');
  const files = new Map<string, Uint8Array>();
  for (const { path, shards } of [pair!.encoder, pair!.decoder])
    for (const name of [path, ...shards]) files.set(name, await fetched(name));
  const webgpu = { name: 'webgpu', device } as InferenceSession.ExecutionProviderConfig;
  const runner = await GraphRunner.open(ort, manifest, (path) => files.get(path)!, {
    executionProviders: [webgpu],
  });
  const { states, embeds, logits } = await read(runner, {
    config: manifest.config,
    features: Float32Array.from(given.features),
    prompt: given.prompt,
  });
  if (refused.length > 0) throw new Error(`the device refused: ${refused.join('; ')}`);
  return { states: Array.from(states), embeds: Array.from(embeds), logits: Array.from(logits) };
}

Object.assign(globalThis, { fullWidth: { read: readHere } });
