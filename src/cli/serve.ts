// sotto serve: the page, the weights and the APIs on one port, until Ctrl-C. sotto key: who may use it.

import { Command, Option } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AsrError } from '../errors.ts';
import { modelsFolder } from '../platform/node/data-folder.ts';
import { addKey, readKeyFile, removeKey } from '../server/access/keys.ts';
import { type Settings, mergeSettings, readSettingsFile, settingsFromEnvironment } from '../server/config.ts';
import { startServer } from '../server/serve.ts';
import { packageFile, sampleModelDir } from './options.ts';

const VERSION = '0.1.0';

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve the page, the model and the APIs (OpenAI, Gradio) on this machine, until Ctrl-C.')
    .option('--config <file>', 'settings as JSON, by the names below (maxUploadMb, allowOrigin, …)')
    .option('--host <address>', 'network address to listen on (default: 127.0.0.1)')
    .option('--port <n>', 'port to listen on (default: 7860)')
    .option('--model <dir>', 'folder of a converted model, for who names none (default: the sample model)')
    .option(
      '--models <dir>',
      'folder with a folder per model, offered beside that one (default: what was pulled)',
    )
    .addOption(
      new Option('--device <device>', 'where to compute (default: auto)').choices([
        'auto',
        'cpu',
        'webgpu',
        'cuda',
      ]),
    )
    .option('--threads <n>', 'threads of the CPU (default: all cores)')
    .option('--seats <n>', 'stretches of speech decoded side by side (default: 16)')
    .option('--parallel <n>', 'recordings read at once (default: 16)')
    .option('--waiting <n>', 'recordings that may wait (default: 100)')
    .option('--waiting-per-client <n>', 'recordings of one client that may wait (default: 50)')
    .option('--queue <address>', 'Redis (redis://host:6379) whose line several servers share (default: none)')
    .option('--take <n>', 'recordings of that line read here at once; 0: none (default: as --parallel)')
    .option('--max-models <n>', 'models in memory at once (default: 1)')
    .option('--idle-minutes <n>', 'a model that nobody uses leaves memory after this; 0: never (default: 30)')
    .option('--no-warm-up', 'load the model when it is first needed, not at the start')
    .option('--max-upload-mb <n>', 'largest recording (default: 1000)')
    .option('--max-audio-minutes <n>', 'longest recording (default: 600)')
    .option('--deadline <seconds>', 'a recording is given up after this (default: 3600)')
    .option('--grace <seconds>', 'work under way gets this when the server is stopped (default: 30)')
    .option('--rate <n>', 'requests per minute and client; 0: any number (default: 0)')
    .option('--allow-host <names>', 'further host names of this server, with commas')
    .option('--allow-origin <origins>', 'pages elsewhere that may use it (https://example.org), with commas')
    .option(
      '--key-file <file>',
      'hashes of keys, as `sotto key add` writes them (default: ~/.config/sotto/keys.json)',
    )
    .option('--make-key', 'when there is no key yet, make one and print it')
    .option('--insecure', 'let everybody who can reach this server use it')
    .option('--tls-cert <file>', 'certificate (PEM): serve over TLS')
    .option('--tls-key <file>', "the certificate's key (PEM)")
    .addOption(
      new Option('--log <level>', 'what to log, as JSON on standard error (default: warn)').choices([
        'silent',
        'error',
        'warn',
        'info',
        'debug',
      ]),
    )
    .addHelpText(
      'after',
      '\nEvery option is also read from the environment: SOTTO_PORT, SOTTO_MAX_UPLOAD_MB, …\nKeys in plain text: SOTTO_API_KEYS, with commas.',
    )
    .action(serveUntilStopped);
}

export function keyCommand(): Command {
  const command = new Command('key').description('Keys that clients of `sotto serve` have to show.');
  command
    .command('add <name>')
    .description('Make a key and print it, once; only its hash is kept.')
    .option('--key-file <file>', 'where hashes are kept')
    .action(async (name: string, flags: { keyFile?: string }) => {
      process.stdout.write(`${await addKey(keyFileOf(flags), name)}\n`);
    });
  command
    .command('list')
    .description('Names of the keys.')
    .option('--key-file <file>', 'where hashes are kept')
    .action(async (flags: { keyFile?: string }) => {
      for (const { name } of await readKeyFile(keyFileOf(flags))) process.stdout.write(`${name}\n`);
    });
  command
    .command('remove <name>')
    .description('Forget a key.')
    .option('--key-file <file>', 'where hashes are kept')
    .action(async (name: string, flags: { keyFile?: string }) => {
      if (await removeKey(keyFileOf(flags), name)) return;
      throw new AsrError('option-invalid', `there is no key for "${name}"`);
    });
  return command;
}

function keyFileOf(flags: { readonly keyFile?: string }): string {
  return mergeSettings(settingsFromEnvironment(process.env), flags).keyFile;
}

async function serveUntilStopped(flags: Record<string, unknown>): Promise<void> {
  const settings = await settingsOf(flags);
  if (settings.makeKey && settings.apiKeys === undefined) await makeFirstKey(settings.keyFile);
  const pageDir = packageFile('dist/page');
  if (!existsSync(join(pageDir, 'index.html'))) {
    throw new AsrError('page-not-built', `there is no ${join(pageDir, 'index.html')}`);
  }
  const server = await startServer(settings, { pageDir, sampleDir: sampleModelDir(), version: VERSION });
  process.stdout.write(`Sotto is at ${server.address} (Ctrl-C ends it)\n`);
  void server.warm.then((state) => state && process.stderr.write(`Model: ${state}\n`));
  await stopAsked();
  process.stderr.write('Finishing what is under way; once more to stop at once.\n');
  process.once('SIGINT', () => process.exit(130));
  await server.close();
}

/** For containers, which start with one command: the key is in their log, once. */
async function makeFirstKey(keyFile: string): Promise<void> {
  if ((await readKeyFile(keyFile)).length > 0) return;
  process.stdout.write(`The key of this server, told this once: ${await addKey(keyFile, 'first')}\n`);
}

/** Flags over environment over file. */
async function settingsOf({ config, ...flags }: Record<string, unknown>): Promise<Settings> {
  const file = typeof config === 'string' ? await readSettingsFile(config) : {};
  // commander says `true` for a --no-… that was not given.
  if (flags.warmUp === true) delete flags.warmUp;
  // What `sotto pull` has fetched is offered unless another folder is named.
  const usual = { models: modelsFolder() };
  return mergeSettings(usual, file, settingsFromEnvironment(process.env), flags);
}

/** Until Ctrl-C, or until a service manager says so. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
