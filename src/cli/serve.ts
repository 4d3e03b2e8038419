// sotto serve: the page, the weights and the APIs on one port, until Ctrl-C.

import { Command, Option } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AsrError } from '../errors.ts';
import { startServer } from '../server/serve.ts';
import { packageFile, sampleModelDir, wholeNumber } from './options.ts';

interface Flags {
  readonly host: string;
  readonly port: number;
  readonly models?: string;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve the page and the model on this machine, until Ctrl-C.')
    .option('--host <address>', 'network address to listen on', '127.0.0.1')
    .addOption(new Option('--port <n>', 'port to listen on').default(7860).argParser(wholeNumber))
    .option('--models <dir>', 'folder with a folder per model, offered beside the sample model')
    .action(serveUntilStopped);
}

async function serveUntilStopped({ host, port, models }: Flags): Promise<void> {
  const pageDir = packageFile('dist/page');
  if (!existsSync(join(pageDir, 'index.html'))) {
    throw new AsrError('page-not-built', `there is no ${join(pageDir, 'index.html')}`);
  }
  const server = await startServer({
    host,
    port,
    pageDir,
    version: '0.1.0',
    models: { named: { sample: sampleModelDir() }, libraries: models === undefined ? [] : [models] },
  });
  process.stdout.write(`Sotto is at ${server.address} (Ctrl-C ends it)\n`);
  await stopAsked();
  process.stderr.write('Stopping.\n');
  await server.close();
}

/** Until Ctrl-C, or until a service manager says so. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
