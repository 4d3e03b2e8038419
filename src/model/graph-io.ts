// The names and shapes at the rim of the two graphs: what the converter writes and the runner feeds.
//
//   encoder   input_features [W, melBins, T]      → audio_embeds [W·T/8, textHidden]
//   decoder   ids [n] · audio [m, textHidden] · index [B, S] · sel [k] · lengths · past
//                                                 → ids_out [k] · logp [k] · (logits [k, vocab]) · present
//
// One decoder graph serves prefill, draft check, single step and ragged batch. `index` addresses the
// rows of Concat(embed(ids), audio): 0…n−1 are ids, n… are audio rows. `sel` picks positions of the
// flattened [B·S] output for the head, so that logits are computed for those alone.

export const ENCODER_INPUT = 'input_features'; //    float32 [W, melBins, T], T a multiple of 8
export const ENCODER_OUTPUT = 'audio_embeds'; //     activation [W·T/8, textHidden]: flat, so that it feeds `audio` as it is
export const ENCODER_STATES = 'encoder_states'; //   activation [W, T/2, audioHidden]; before the projector, for tests

export const DECODER_INPUT = {
  ids: 'ids', //                   int64 [n], n ≥ 1
  audio: 'audio', //               activation [m, textHidden], m ≥ 1 (a row of zeros where there is no audio)
  index: 'index', //               int64 [B, S]
  sel: 'sel', //                   int64 [k]
  lastPosition: 'last_position', //int32 [B]: total length of each row − 1
  totalLength: 'total_length', //  int32 []: the longest total length
} as const;

export const DECODER_OUTPUT = {
  ids: 'ids_out', //               int64 [k]: argmax
  logProb: 'logp', //              float32 [k]: its log-probability
  logits: 'logits', //             float32 [k, vocab]; for tests, fetched only when asked
} as const;

/** KV cache of layer `i`: activation [B, kvHeads, P, headDim]. */
export const pastKey = (layer: number): string => `past_key.${layer}`;
export const pastValue = (layer: number): string => `past_value.${layer}`;
export const presentKey = (layer: number): string => `present_key.${layer}`;
export const presentValue = (layer: number): string => `present_value.${layer}`;
