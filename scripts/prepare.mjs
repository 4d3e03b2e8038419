// Makes a fresh clone ready: packages, bundle, browser. Plain JavaScript on Node alone, since nothing is
// installed yet when it runs. Every step is skipped when it is already done.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname ?? new URL('..', import.meta.url).pathname, '..');

const NEEDED_NODE = [20, 19];

/** Runs a program in the project's root; ends this process when it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip', ...options.env },
  });
  if (error) fail(`${command} cannot be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Says what is wrong and ends. */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Writes a line about a step that takes a while. */
export function say(message) {
  process.stderr.write(`› ${message}\n`);
}

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = NEEDED_NODE;
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    fail(`Sotto needs Node.js ${NEEDED_NODE.join('.')} or newer; this is ${process.versions.node}.`);
  }
}

/** Installs the packages of package-lock.json, if they are not the ones that are there. */
export function ensureInstalled() {
  checkNode();
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  if (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs
  )
    return;
  say('installing packages (once; about 900 MB on disk)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

const SOURCES = {
  node: ['src', 'package-lock.json', 'scripts/build.mjs'],
  page: [
    'src',
    'workers',
    'public',
    'index.html',
    'vite.config.ts',
    'package-lock.json',
    'scripts/build.mjs',
  ],
};

/** Builds the terminal program (`node`) or the page, if a source is newer than what was built. */
export function ensureBuilt(part) {
  const built = join(ROOT, 'dist', part, '.built');
  const newest = Math.max(...SOURCES[part].map((path) => newestMs(join(ROOT, path))));
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return;
  say(`building (${part})`);
  run(process.execPath, ['scripts/build.mjs', part]);
}

function newestMs(path) {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

/** Where a Chromium for the browser tests is; installs one if need be. */
export function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  if (process.platform === 'linux' && existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
    say('installing Chromium with apt-get (for the browser tests)');
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
  } else {
    say('installing Chromium with Playwright (for the browser tests)');
    run('npx', ['--no-install', 'playwright', 'install', 'chromium']);
  }
  return findChromium();
}

const CHROMIUM_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The path of an installed Chromium; an empty text stands for Playwright's own, undefined for none. */
function findChromium() {
  const path = [process.env.CHROMIUM_PATH, ...CHROMIUM_PATHS].find(
    (candidate) => candidate && existsSync(candidate),
  );
  if (path) return path;
  const own = spawnSync(
    process.execPath,
    ['-e', "process.stdout.write(require('playwright').chromium.executablePath())"],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  return own.status === 0 && existsSync(own.stdout) ? own.stdout : undefined;
}
