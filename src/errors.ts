// What can go wrong, in one place.
//
// Three kinds, never mixed:
//   a failure someone can act on   →  AsrError with a code; the code has one sentence of advice
//   a bug                          →  assert(…): stops loudly with the claim that turned out false
//   the user changed their mind    →  the AbortSignal's own error, passed through untouched

/** What each door does with a failure: one sentence of advice, the terminal's exit code, the server's HTTP status. */
export interface ErrorEntry {
  readonly advice: string;
  readonly exitCode: number;
  readonly httpStatus: number;
}

/** Every failure a person can act on. Codes cross workers and HTTP; messages are for people and are never searched. */
export const ERRORS = {
  // ── audio ──────────────────────────────────────────────────────────────────────────────────
  'audio-not-found': entry('Check the path and the spelling.', 10, 404),
  'audio-unreadable': entry('Check that the file can be opened and is not a folder.', 11, 400),
  'audio-empty': entry('The file holds no sound; record or export it again.', 12, 400),
  'audio-unsupported': entry('Save it as WAV, AIFF, MP3, FLAC, OGG or Opus and try again.', 13, 415),
  'audio-malformed': entry('The file is damaged; export it again from where it came.', 14, 400),
  'audio-truncated': entry('The file ends in the middle; copy or download it again.', 15, 400),
  'audio-too-long': entry(
    'Cut the recording into parts, or leave out --exact, which reads at most 30 seconds.',
    16,
    413,
  ),
  'audio-protected': entry('The file is copy-protected; use an unprotected copy.', 17, 415),
  'clips-not-found': entry(
    'Point to a folder with recordings and, beside each, what is said in it (clip.wav, clip.txt).',
    18,
    404,
  ),
  // ── model and weights ──────────────────────────────────────────────────────────────────────
  'model-not-found': entry('Point to a folder that `sotto convert` or `sotto pull` has written.', 20, 404),
  'manifest-invalid': entry('Convert the checkpoint again with this version of Sotto.', 21, 500),
  'weights-missing': entry('Fetch the model again; what is already there is kept.', 22, 500),
  'weights-corrupt': entry('Fetch the model again; only the damaged part is fetched.', 23, 500),
  'model-garbage': entry(
    'This device computes wrong numbers with this model; choose another device.',
    24,
    500,
  ),
  'voice-model-failed': entry(
    'Start Sotto again; until then music and noise may be read as speech.',
    25,
    500,
  ),
  // ── conversion ─────────────────────────────────────────────────────────────────────────────
  'checkpoint-not-found': entry('Point to a folder that holds config.json and model.safetensors.', 30, 404),
  'checkpoint-malformed': entry('Download the checkpoint again; its file is damaged or incomplete.', 31, 400),
  'checkpoint-old-naming': entry(
    'Use the checkpoint as published since 27 December 2025 (revision 61ba4e0b or later).',
    32,
    400,
  ),
  'checkpoint-unsupported': entry(
    'Only GLM-ASR checkpoints (model_type "glmasr") can be converted.',
    33,
    400,
  ),
  'checkpoint-mismatch': entry(
    'The weights do not fit config.json; use files of one and the same revision.',
    34,
    400,
  ),
  'tokenizer-unsupported': entry('Use the tokenizer files that were published with the checkpoint.', 35, 400),
  // ── microphone ─────────────────────────────────────────────────────────────────────────────
  'microphone-denied': entry(
    'Allow this page to use the microphone, in the address bar or in the system.',
    70,
    403,
  ),
  'microphone-missing': entry('Plug a microphone in, or choose another one.', 71, 404),
  'microphone-busy': entry(
    'Another program holds the microphone; close it, or choose another microphone.',
    72,
    503,
  ),
  'microphone-asleep': entry('The browser has put sound to sleep; press Record again.', 73, 503),
  'microphone-unavailable': entry(
    'Open the page over https or on localhost, in a browser of today.',
    74,
    501,
  ),
  // ── machine ────────────────────────────────────────────────────────────────────────────────
  'device-unavailable': entry('Choose another device, or `auto` to let Sotto choose.', 40, 503),
  'device-lost': entry('The graphics device went away; the work goes on when it is back.', 41, 503),
  'out-of-memory': entry('Close other programs, or choose a smaller profile of the model.', 42, 507),
  'storage-full': entry('Free some space; everything stored so far is kept.', 43, 507),
  'storage-denied': entry(
    'Storage is switched off for this page; leave private browsing or allow site data.',
    44,
    507,
  ),
  'model-busy': entry('Another tab or program is writing this model; wait for it or close it.', 46, 503),
  'package-missing': entry('Install that package, or do without what needs it.', 47, 503),
  'output-unwritable': entry('Check that the output folder exists and can be written to.', 45, 500),
  // ── network ────────────────────────────────────────────────────────────────────────────────
  'source-unreachable': entry(
    'Check the connection and the address; what was fetched so far is kept.',
    50,
    502,
  ),
  'source-changed': entry('The file changed while it was read; start again.', 51, 502),
  'endpoint-refused': entry("Check the address, the model's name and the key.", 53, 502),
  'source-no-ranges': entry('That server cannot send parts of a file; use another address.', 52, 502),
  // ── server ─────────────────────────────────────────────────────────────────────────────────
  'port-taken': entry('End the program that uses it, or choose another port with --port.', 80, 500),
  'port-refused': entry('Choose an address of this machine and a port from 1024 up.', 81, 500),
  'keys-needed': entry(
    'Make one (`sotto key add NAME`), or say --insecure if everybody who can reach it may use it.',
    83,
    500,
  ),
  'page-not-built': entry('Build it with `npm run build`.', 82, 500),
  // ── requests ───────────────────────────────────────────────────────────────────────────────
  'option-invalid': entry('See --help for what this option takes.', 2, 400),
  'prompt-too-long': entry('Use a shorter instruction or a shorter clip.', 60, 400),
  'upload-malformed': entry('Send multipart/form-data with the recording in it.', 62, 400),
  'upload-too-large': entry('Send a shorter or a compressed recording.', 63, 413),
  'too-slow': entry('Send a shorter recording, or ask the server for more time (--deadline).', 64, 504),
  'engine-died': entry('Try again; if it happens again, choose another device or a smaller model.', 65, 500),
  'key-missing': entry("Send one of the server's keys: Authorization: Bearer KEY.", 66, 401),
  'not-allowed': entry('Ask whoever runs the server to allow it.', 67, 403),
  'address-unknown': entry('See /docs for what this server answers.', 69, 404),
  'method-unknown': entry('See /docs for what this server answers.', 85, 405),
  'too-many-requests': entry('Wait as long as Retry-After says.', 68, 429),
  'queue-unreachable': entry('Check the address of --queue, and that Redis runs there.', 84, 503),
  busy: entry('The line is full; try again in a moment.', 61, 503),
} as const satisfies Record<string, ErrorEntry>;

export type AsrErrorCode = keyof typeof ERRORS;

/** A failure someone can act on. `message` says what was found; `ERRORS[code].advice` says what to do. */
export class AsrError extends Error {
  override readonly name = 'AsrError';
  readonly code: AsrErrorCode;

  constructor(code: AsrErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** True for an AsrError, also for one from another realm (worker, bundle copy). */
export function isAsrError(error: unknown): error is AsrError {
  return (
    error instanceof Error && error.name === 'AsrError' && (error as Partial<AsrError>).code !== undefined
  );
}

/** True when `error` is an AbortSignal's own error: the user changed their mind. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** States something that only a bug could make false. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new Error(`Bug: this should hold, but does not: ${claim}`);
}

/** Ends a `switch` over a union, so that a forgotten case does not compile. */
export function unreachable(value: never): never {
  throw new Error(`Bug: unexpected ${JSON.stringify(value)}`);
}

function entry(advice: string, exitCode: number, httpStatus: number): ErrorEntry {
  return { advice, exitCode, httpStatus };
}
