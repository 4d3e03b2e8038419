// A failure on its way out over HTTP. Each dialect puts it into its own shape; status, words and headers
// come from here.

import { randomUUID } from 'node:crypto';
import { AsrError, type AsrErrorCode, ERRORS, isAbort, isAsrError } from '../errors.ts';

export interface Refusal {
  readonly status: number;
  readonly code: AsrErrorCode | 'bug' | 'aborted';
  /** What was found and what to do, in one or two sentences. */
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An address that cannot be asked in that way. */
export class MethodError extends AsrError {
  readonly methods: readonly string[];

  constructor(method: string, methods: readonly string[]) {
    super('method-unknown', `this address does not take ${method}`);
    this.methods = methods;
  }
}

/** Seconds after which a full line is likely to have moved. */
const RETRY_SECONDS = '5';

/** nginx's number for a client that has gone; nobody reads it but the log. */
const CLIENT_LEFT = 499;

/** What to tell of `error`. A bug's own words stay here: `onBug` hears them, the client gets a number to quote. */
export function refusalOf(error: unknown, onBug: (id: string, error: unknown) => void): Refusal {
  if (isAsrError(error)) {
    const { httpStatus } = ERRORS[error.code];
    const message = sentencesOf(error.code, error.message);
    return { status: httpStatus, code: error.code, message, headers: headersFor(error, httpStatus) };
  }
  if (isAbort(error))
    return { status: CLIENT_LEFT, code: 'aborted', message: 'The client left.', headers: {} };
  const id = randomUUID();
  onBug(id, error);
  return {
    status: 500,
    code: 'bug',
    message: `This is a bug in Sotto; the server's log tells more under ${id}.`,
    headers: { 'x-should-retry': 'false' },
  };
}

/** What was found, and what to do. */
export function sentencesOf(code: AsrErrorCode, message: string): string {
  return `${sentence(message)} ${ERRORS[code].advice}`;
}

function headersFor(error: AsrError, status: number): Record<string, string> {
  const { code } = error;
  if (error instanceof MethodError) return { Allow: error.methods.join(', ') };
  if (code === 'busy' || code === 'too-many-requests' || code === 'queue-unreachable')
    return { 'Retry-After': RETRY_SECONDS };
  // Stock clients try again after any 5xx; what will fail again should not be sent again.
  return status >= 500 ? { 'x-should-retry': 'false' } : {};
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?。]$/.test(capital) ? capital : `${capital}.`;
}
