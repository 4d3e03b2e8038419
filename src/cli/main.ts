// The terminal's door: commands, options, exit codes. Each command lives in a file of its own.

import { Command, CommanderError } from 'commander';
import { convertCommand } from './convert.ts';
import { demoCommand } from './demo.ts';
import { evalCommand } from './eval.ts';
import { exitCodeOf, explain } from './failure.ts';
import { listenCommand } from './listen.ts';
import { pullCommand } from './pull.ts';
import { replayCommand } from './replay.ts';
import { keyCommand, serveCommand } from './serve.ts';
import { setupCommand } from './setup.ts';
import { transcribeCommand } from './transcribe.ts';

/** The whole command line; `--help` of each command is what the README quotes. */
export function program(): Command {
  const sotto = new Command('sotto')
    .description('Private speech-to-text for quiet voices. Everything is computed on this machine.')
    .version('0.1.0')
    .showHelpAfterError('(see --help)')
    .configureHelp({ helpWidth: 96 })
    .exitOverride();
  const commands = [
    transcribeCommand(),
    listenCommand(),
    convertCommand(),
    pullCommand(),
    demoCommand(),
    evalCommand(),
    serveCommand(),
    keyCommand(),
    setupCommand(),
    replayCommand(),
  ];
  for (const command of commands) {
    sotto.addCommand(command.copyInheritedSettings(sotto));
  }
  return sotto;
}

/** Runs the command line and returns the exit code. Never throws, never prints a stack trace. */
export async function main(args: readonly string[]): Promise<number> {
  // A reader that closes early (`sotto … | head`) ends the work quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await program().parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`sotto: ${explain(error)}\n`);
    return exitCodeOf(error);
  }
}
