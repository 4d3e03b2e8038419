// Importing a model that File System Access handed over: here from the site's own file system, which gives
// the same kind of handle as the folder picker.

import { afterEach, expect, test } from 'vitest';
import { memoryLibrary } from '../../src/platform/install/memory-library.ts';
import { storedModel } from '../../src/platform/install/stored-model.ts';
import { folderFiles, importModel } from '../../src/platform/web/import-files.ts';

const NEVER = new AbortController().signal;

async function put(
  folder: FileSystemDirectoryHandle,
  name: string,
  content: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await writable.write(content);
  await writable.close();
}

async function freshFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle('a model', { create: true });
}

afterEach(async () => {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry('a model', { recursive: true });
});

/** A manifest over five files, and their content by name. */
async function smallModel(): Promise<{ manifest: object; files: Map<string, Uint8Array<ArrayBuffer>> }> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const add = async (stem: string): Promise<object> => {
    const content = new Uint8Array(new TextEncoder().encode(`{"stem":"${stem}"}`));
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
    const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    const path = `${stem}-${sha256.slice(0, 16)}`;
    files.set(path, content);
    return { path, bytes: content.length, sha256 };
  };
  const layers = {
    hiddenSize: 8,
    layers: 1,
    heads: 1,
    kvHeads: 1,
    headDim: 8,
    intermediateSize: 16,
    maxPositions: 9,
  };
  const manifest = {
    format: 'sotto-model',
    version: 1,
    name: 'Small model',
    profile: 'fp32',
    source: {},
    config: {
      audio: { ...layers, melBins: 128, rotaryDims: 4, ropeTheta: 1e4 },
      text: { ...layers, vocabSize: 64, rmsNormEps: 1e-5, ropeTheta: 1e4 },
      audioTokenId: 1,
      stopIds: [2],
    },
    features: { sampleRate: 16_000, fftSize: 400, hopSamples: 160, melBins: 128, windowSeconds: 30 },
    instruction: 'Transcribe.',
    cache: { layers: 1, kvHeads: 1, headDim: 8 },
    graphs: [
      {
        activation: 'float32',
        encoder: { ...(await add('encoder')), shards: [] },
        decoder: { ...(await add('decoder')), shards: [] },
      },
    ],
    tokenizer: await add('tokenizer'),
    tokenizerConfig: await add('tokenizer_config'),
    shards: [await add('weights')],
  };
  return { manifest, files };
}

test('takes a model from a folder handle, and the loader reads it back', async () => {
  const { manifest, files } = await smallModel();
  const folder = await freshFolder();
  await put(folder, 'manifest.json', new Uint8Array(new TextEncoder().encode(JSON.stringify(manifest))));
  for (const [name, content] of files) await put(folder, name, content);
  await folder.getDirectoryHandle('something else', { create: true });
  const library = memoryLibrary();
  const { id } = await importModel(await folderFiles(folder), library, { signal: NEVER });
  expect(id).toBe('Small-model-fp32');
  const model = storedModel(library.store(id));
  expect(await model.manifest()).toEqual(manifest);
  for (const [name, content] of files) expect(await model.file(name, content.length).read()).toEqual(content);
});

test('says that a file was changed after it was chosen', async () => {
  const { manifest, files } = await smallModel();
  const folder = await freshFolder();
  await put(folder, 'manifest.json', new Uint8Array(new TextEncoder().encode(JSON.stringify(manifest))));
  for (const [name, content] of files) await put(folder, name, content);
  const given = await folderFiles(folder);
  const [name] = [...files.keys()].filter((path) => path.startsWith('weights'));
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await put(folder, name!, files.get(name!)!);
  await expect(importModel(given, memoryLibrary(), { signal: NEVER })).rejects.toMatchObject({
    code: 'source-changed',
  });
});
