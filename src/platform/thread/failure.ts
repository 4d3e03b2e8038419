// Errors across threads: only the code and the message travel.

import { AsrError, isAbort, isAsrError } from '../../errors.ts';
import type { Failure } from '../../wire/worker-messages.ts';

export function toFailure(error: unknown): Failure {
  if (isAsrError(error)) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: isAbort(error) ? 'aborted' : 'bug', message };
}

/** The error again. `reason` is the signal's own, thrown in place of an abort that we asked for. */
export function fromFailure({ code, message }: Failure, reason?: unknown): Error {
  if (code === 'aborted') return reason instanceof Error ? reason : abortError(message);
  if (code === 'bug') return new Error(message);
  return new AsrError(code, message);
}

function abortError(message: string): Error {
  return Object.assign(new Error(message), { name: 'AbortError' });
}
