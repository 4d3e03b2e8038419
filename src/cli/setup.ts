// sotto setup cuda: what an NVIDIA card needs to be used, looked up and fetched.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { AsrError } from '../errors.ts';
import { cudaInstalled } from '../platform/node/open-engine.ts';

/** Oldest CUDA that the provider was built for. */
const LEAST_CUDA = [12, 4] as const;

/** Libraries that the provider opens, and what brings them. */
const LIBRARIES: readonly (readonly [name: string, from: string])[] = [
  ['libcudart.so.12', 'the CUDA 12 runtime (Debian, Ubuntu: cuda-cudart-12-4 from NVIDIA)'],
  ['libcublasLt.so.12', 'cuBLAS 12 (libcublas-12-4 from NVIDIA)'],
  ['libcublas.so.12', 'cuBLAS 12 (libcublas-12-4 from NVIDIA)'],
  ['libcurand.so.10', 'cuRAND (libcurand-12-4 from NVIDIA)'],
  ['libcufft.so.11', 'cuFFT (libcufft-12-4 from NVIDIA)'],
  ['libcudnn.so.9', 'cuDNN 9 (libcudnn9-cuda-12 from NVIDIA)'],
];

export interface Finding {
  readonly what: string;
  readonly found: boolean;
  /** What was found, or what to do. */
  readonly detail: string;
}

export function setupCommand(): Command {
  const setup = new Command('setup').description('Fetch what a device needs that does not come with Sotto.');
  setup
    .command('cuda')
    .description("Fetch ONNX Runtime's CUDA provider (about 350 MB) and check driver, CUDA and cuDNN.")
    .option('--check', 'only look, fetch nothing')
    .action(setUpCuda);
  return setup;
}

async function setUpCuda({ check = false }: { check?: boolean }): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new AsrError(
      'device-unavailable',
      "ONNX Runtime's CUDA provider for Node exists for Linux on x64 only",
    );
  }
  if (!check && !cudaInstalled()) await fetchProvider();
  const findings = [driverFinding(), ...libraryFindings(), providerFinding()];
  for (const { what, found, detail } of findings) {
    process.stdout.write(`${found ? 'found  ' : 'MISSING'}  ${what.padEnd(20)}  ${detail}\n`);
  }
  const missing = findings.filter(({ found }) => !found).map(({ what }) => what);
  if (missing.length > 0) throw new AsrError('device-unavailable', `missing for CUDA: ${missing.join(', ')}`);
  process.stdout.write('CUDA can be used: --device cuda, or leave it to auto.\n');
}

/** Runs the package's own install script, which was kept from running when Sotto was installed. */
async function fetchProvider(): Promise<void> {
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  process.stderr.write("Fetching ONNX Runtime's CUDA provider …\n");
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, ['script/install.js', '--onnxruntime-node-install=cuda12'], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'cuda12' },
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new AsrError('source-unreachable', 'the CUDA provider could not be fetched');
}

function driverFinding(): Finding {
  const what = 'NVIDIA driver';
  const { status, stdout } = spawnSync('nvidia-smi', [], { encoding: 'utf8' });
  if (status !== 0)
    return {
      what,
      found: false,
      detail: 'install the NVIDIA driver (550 or newer); nvidia-smi should list the card',
    };
  return driverFrom(stdout);
}

/** Reads what nvidia-smi prints. */
export function driverFrom(text: string): Finding {
  const what = 'NVIDIA driver';
  const driver = /Driver Version:\s*([\d.]+)/.exec(text)?.[1] ?? 'of unknown version';
  const cuda = /CUDA Version:\s*(\d+)\.(\d+)/.exec(text);
  const [major, minor] = [Number(cuda?.[1] ?? 0), Number(cuda?.[2] ?? 0)];
  const isNew = major > LEAST_CUDA[0] || (major === LEAST_CUDA[0] && minor >= LEAST_CUDA[1]);
  const detail = `driver ${driver}, for CUDA up to ${major}.${minor}`;
  return {
    what,
    found: isNew,
    detail: isNew ? detail : `${detail}; CUDA ${LEAST_CUDA.join('.')} needs driver 550 or newer`,
  };
}

function libraryFindings(): Finding[] {
  const known = spawnSync('ldconfig', ['-p'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` },
  });
  const listed = known.stdout ?? '';
  const folders = (process.env.LD_LIBRARY_PATH ?? '')
    .split(':')
    .filter((folder) => folder !== '' && existsSync(folder));
  const nearby = folders.flatMap((folder) => readdirSync(folder));
  return LIBRARIES.map(([name, from]) => {
    const found = listed.includes(name) || nearby.includes(name);
    return { what: name, found, detail: found ? 'installed' : `install ${from}` };
  });
}

function providerFinding(): Finding {
  const found = cudaInstalled();
  const folder = join('onnxruntime-node', 'bin');
  return {
    what: 'CUDA provider',
    found,
    detail: found ? `in ${folder}` : 'run `sotto setup cuda` without --check',
  };
}
