// What the page and its service worker say to each other, and the names under which they leave each other
// things.

export type ToShell =
  /** Keep what it takes to read without a network: sample model, clips, and this build of the runtime. */
  | { type: 'keep-kit'; build: string }
  /** A waiting version takes over all open pages. */
  | { type: 'take-over' };

export type FromShell = { type: 'kit'; keptFiles: number; totalFiles: number; failed: boolean };

/** Where the system sends what is shared with the app, relative to the page. */
export const SHARE_PATH = 'share';

/** Field of the share form that holds the recordings. */
export const SHARE_FIELD = 'recordings';

/** The cache in which shared recordings wait for the page. */
export const SHARED_CACHE = 'sotto-shared';

/** A recording's name travels beside it, percent-encoded. */
export const SHARED_NAME_HEADER = 'X-Name';
