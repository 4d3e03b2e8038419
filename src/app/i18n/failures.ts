// One sentence per failure: what happened, what is safe, what to do.

import type { FailureCode } from '../state/failure.ts';
import * as m from './paraglide/messages.js';

const SENTENCES: Record<FailureCode, () => string> = {
  'audio-not-found': m.failed_audio_not_found,
  'audio-unreadable': m.failed_audio_unreadable,
  'audio-empty': m.failed_audio_empty,
  'audio-unsupported': m.failed_audio_unsupported,
  'audio-malformed': m.failed_audio_malformed,
  'audio-truncated': m.failed_audio_truncated,
  'audio-too-long': m.failed_audio_too_long,
  'audio-protected': m.failed_audio_protected,
  'model-not-found': m.failed_model_not_found,
  'manifest-invalid': m.failed_manifest_invalid,
  'weights-missing': m.failed_weights_missing,
  'weights-corrupt': m.failed_weights_corrupt,
  'model-garbage': m.failed_model_garbage,
  'voice-model-failed': m.failed_voice_model,
  'checkpoint-not-found': m.failed_checkpoint_not_found,
  'checkpoint-malformed': m.failed_checkpoint_malformed,
  'checkpoint-old-naming': m.failed_checkpoint_old_naming,
  'checkpoint-unsupported': m.failed_checkpoint_unsupported,
  'checkpoint-mismatch': m.failed_checkpoint_mismatch,
  'tokenizer-unsupported': m.failed_tokenizer_unsupported,
  'microphone-denied': m.failed_microphone_denied,
  'microphone-missing': m.failed_microphone_missing,
  'microphone-busy': m.failed_microphone_busy,
  'microphone-asleep': m.failed_microphone_asleep,
  'microphone-unavailable': m.failed_microphone_unavailable,
  'device-unavailable': m.failed_device_unavailable,
  'device-lost': m.failed_device_lost,
  'out-of-memory': m.failed_out_of_memory,
  'storage-full': m.failed_storage_full,
  'storage-denied': m.failed_storage_denied,
  'model-busy': m.failed_model_busy,
  'output-unwritable': m.failed_output_unwritable,
  'source-unreachable': m.failed_source_unreachable,
  'source-changed': m.failed_source_changed,
  'source-no-ranges': m.failed_source_no_ranges,
  'option-invalid': m.failed_option_invalid,
  'prompt-too-long': m.failed_prompt_too_long,
  busy: m.failed_busy,
  bug: m.failed_bug,
  // Failures of other doors, which the page never meets.
  'clips-not-found': m.failed_elsewhere,
  'package-missing': m.failed_elsewhere,
  'endpoint-refused': m.failed_elsewhere,
  'upload-malformed': m.failed_elsewhere,
  'upload-too-large': m.failed_elsewhere,
  'too-slow': m.failed_elsewhere,
  'engine-died': m.failed_elsewhere,
  'key-missing': m.failed_elsewhere,
  'not-allowed': m.failed_elsewhere,
  'address-unknown': m.failed_elsewhere,
  'method-unknown': m.failed_elsewhere,
  'too-many-requests': m.failed_elsewhere,
  'port-taken': m.failed_elsewhere,
  'port-refused': m.failed_elsewhere,
  'keys-needed': m.failed_elsewhere,
  'page-not-built': m.failed_elsewhere,
  'queue-unreachable': m.failed_elsewhere,
};

/** In the reader's language. */
export function sentenceFor(code: FailureCode): string {
  return SENTENCES[code]();
}
