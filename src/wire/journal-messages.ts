// What crosses between the page and the thread that keeps a recording while it is made.

import type { AsrErrorCode } from '../errors.ts';
import type { SoundPort } from './capture-messages.ts';

/** Keep what `port` (moved) brings, as this session. */
export interface ToJournalThread {
  readonly type: 'keep';
  readonly id: string;
  readonly port: SoundPort;
}

export type FromJournalThread =
  /** So much is safe. */
  | { readonly type: 'kept'; readonly samples: number }
  /** From now on nothing is kept on disk; what comes is held in memory. */
  | { readonly type: 'unkept'; readonly code: AsrErrorCode }
  /** The recording is over; `rest` could not be kept. */
  | { readonly type: 'ended'; readonly rest: readonly Int16Array<ArrayBuffer>[] };
