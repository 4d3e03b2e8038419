// A failure in the terminal: one line and an exit code.

import { AsrError, type AsrErrorCode, ERRORS, isAbort, isAsrError } from '../errors.ts';

/** Stopped by Ctrl-C, as shells count it. */
const EXIT_INTERRUPTED = 130;
/** A bug of ours. */
const EXIT_BUG = 70;

export function exitCodeOf(error: unknown): number {
  if (isAsrError(error)) return ERRORS[error.code].exitCode;
  return isAbort(error) ? EXIT_INTERRUPTED : EXIT_BUG;
}

const told = new Set<AsrErrorCode>();

/** Says what readings go on without, in one line of its own; once, however many are read. */
export function warn({ code, message }: { readonly code: AsrErrorCode; readonly message: string }): void {
  if (told.has(code)) return;
  told.add(code);
  process.stderr.write(`sotto: ${explain(new AsrError(code, message))}\n`);
}

/** What is wrong and what to do, in one line. */
export function explain(error: unknown): string {
  if (isAsrError(error)) return `${sentence(error.message)} ${ERRORS[error.code].advice}`;
  if (isAbort(error)) return 'Stopped.';
  const message = error instanceof Error ? error.message : String(error);
  return `${sentence(firstLine(message))} This is a bug in Sotto; please report it.`;
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?。]$/.test(capital) ? capital : `${capital}.`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
