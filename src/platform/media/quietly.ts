// The WebAssembly decoders write what they find wrong in a file to the console as well as into
// their answer. The answer is enough: a damaged file is no news for a developer's console.

declare const console: { error: (...what: unknown[]) => void; warn: (...what: unknown[]) => void };

/** Runs `work` (which must not wait for anything) with the console's warnings and errors switched off. */
export function quietly<T>(work: () => T): T {
  const { error, warn } = console;
  const hush = (): void => undefined;
  console.error = hush;
  console.warn = hush;
  try {
    return work();
  } finally {
    console.error = error;
    console.warn = warn;
  }
}
