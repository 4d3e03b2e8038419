// Engine by its description. Libraries of other engines are loaded only when one is asked for.

import { openEndpoint } from './endpoint.ts';
import type { EngineSpec } from './engine-spec.ts';
import type { EvalEngine } from './eval-engine.ts';
import { programMark } from './program-mark.ts';
import { manifestHash, openSotto } from './sotto.ts';

/** Fails with what keeps the engine from running: `option-invalid`, `model-not-found`, `package-missing` … */
export async function openEvalEngine(spec: EngineSpec): Promise<EvalEngine> {
  switch (spec.kind) {
    case 'sotto':
      return openSotto(spec);
    case 'endpoint':
      return openEndpoint(spec);
    case 'whisper':
      return (await import('./whisper.ts')).openWhisper(spec);
    case 'paraformer':
      return (await import('./paraformer.ts')).openParaformer(spec);
  }
}

/** For our own engine its code, and the hash of the model's manifest, which names every file with its hash; nothing for the others. */
export async function engineMark(spec: EngineSpec): Promise<string> {
  const modelDir = spec.kind === 'sotto' ? spec.settings['model'] : undefined;
  if (modelDir === undefined) return '';
  const weights = await manifestHash(modelDir).catch(() => 'no model'); // opening it will say so
  return `${weights} ${await programMark()}`;
}
