// What a user may choose about scoring, apart from the work itself, which loads large tables.

/** `keep`: 學 and 学 are different characters. `fold`: Traditional, also as Taiwan and Hong Kong write it, reads as Simplified. */
export const SCRIPTS = ['keep', 'fold'] as const;
export type Script = (typeof SCRIPTS)[number];

/**
 * What an error is counted in.
 *
 * `characters`: for CER; the spaces between Latin words count, as is usual.
 * `words`: for WER; what stands between spaces, so that a Chinese sentence is a single word.
 * `mixed`: each Chinese or Japanese character, each word of any other script; for text that has both.
 */
export const METRICS = ['mixed', 'characters', 'words'] as const;
export type Metric = (typeof METRICS)[number];

/** How people call the rates. */
export const METRIC_NAMES: Readonly<Record<Metric, string>> = {
  mixed: 'MER',
  characters: 'CER',
  words: 'WER',
};
