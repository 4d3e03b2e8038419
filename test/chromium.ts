// The Chromium that tests use, and how it is started.

/** Debian's, or the one that CHROMIUM_PATH names; undefined (an empty name) means Playwright's own. */
export const CHROMIUM_PATH = (process.env.CHROMIUM_PATH ?? '/usr/bin/chromium') || undefined;

export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  // WebGPU without a graphics card.
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
