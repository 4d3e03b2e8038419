// What the page keeps of an error: its code for the sentence, its message for the details.

import { type AsrErrorCode, isAsrError } from '../../errors.ts';

/** `bug`: something that nobody foresaw. */
export type FailureCode = AsrErrorCode | 'bug';

export interface PageFailure {
  readonly code: FailureCode;
  /** In English, for a report; the page's own sentence goes by the code. */
  readonly detail: string;
}

export function failureOf(error: unknown): PageFailure {
  if (isAsrError(error)) return { code: error.code, detail: error.message };
  return { code: 'bug', detail: error instanceof Error ? error.message : String(error) };
}
