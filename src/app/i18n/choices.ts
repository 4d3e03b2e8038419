// What choices are called.

import type { PunctuationWidth, ScriptView } from '../document/transcript.ts';
import type { StepDown } from '../state/engine-room.svelte.ts';
import type { ExportFormat } from '../document/export.ts';
import type { ComputePath } from '../../platform/web/compute-path.ts';
import * as m from './paraglide/messages.js';

export const SCRIPT_LABELS: Record<ScriptView, () => string> = {
  'as-read': m.script_as_read,
  hans: m.script_hans,
  'hant-hk': m.script_hant_hk,
  'hant-tw': m.script_hant_tw,
};

/** Language tags, for the right shapes of characters. */
export const SCRIPT_LANGUAGES: Record<ScriptView, string | undefined> = {
  'as-read': undefined,
  hans: 'zh-Hans',
  'hant-hk': 'zh-Hant-HK',
  'hant-tw': 'zh-Hant-TW',
};

export const PUNCTUATION_LABELS: Record<PunctuationWidth, () => string> = {
  'as-read': m.punctuation_as_read,
  full: m.punctuation_full,
  half: m.punctuation_half,
};

export const EXPORT_LABELS: Record<ExportFormat, () => string> = {
  txt: m.export_txt,
  'timed-txt': m.export_timed_txt,
  srt: m.export_srt,
  vtt: m.export_vtt,
  docx: m.export_docx,
  json: m.export_json,
};

export const PATH_LABELS: Record<ComputePath, () => string> = {
  'webgpu-f16': m.path_webgpu_f16,
  'webgpu-f16-plain': m.path_webgpu_f16_plain,
  'webgpu-f32': m.path_webgpu_f32,
  'webgpu-f32-plain': m.path_webgpu_f32_plain,
  wasm: m.path_wasm,
};

/** What became of a way of computing that is not used. */
export function stepDownSentence({ from, reason }: StepDown): string {
  const label = from in PATH_LABELS ? PATH_LABELS[from as ComputePath]() : from;
  return reason === 'wrong' ? m.stepped_down_wrong({ way: label }) : m.stepped_down_failed({ way: label });
}
