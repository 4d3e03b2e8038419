// An environment in which programs of ours do not find the voice model.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const PRELOADED = resolve(import.meta.dirname, 'fixtures/without-voice-model.mjs');

export const WITHOUT_VOICE_MODEL = {
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import ${pathToFileURL(PRELOADED).href}`.trim(),
};
