import { Command, InvalidArgumentError, Option } from 'commander';
import { type CliError, EXIT } from './exit.js';
import type { Io } from './io.js';
import type { GlobalOptions } from './settings.js';

export interface Noun {
  /** Adds the noun's commands. What they need is imported when one runs, so that `--help` is quick. */
  (program: Command, io: Io): void;
}

/** Examples under a command's help. */
export function examples(...lines: readonly string[]): string {
  const commands = lines.map((line) => line.split(' # '));
  const width = Math.max(...commands.map(([command = '']) => command.length));
  return `\nExamples:\n${commands.map(([command = '', why]) => `  ${why === undefined ? command : `${command.padEnd(width)}  # ${why}`}`).join('\n')}\n`;
}

/** For what is shown whole: scripts that say `--format json` everywhere may say it here too. */
export function jsonOption(): Option {
  return new Option('--format <format>', 'how to print').choices(['json']).default('json');
}

export function formatOption(): Option {
  return new Option('--format <format>', 'a table to read, or a JSON array').choices(['table', 'json']).default('table');
}

export function limitOption(what: string, standard: number): Option {
  return new Option('--limit <n>', `at most this many ${what}, the newest`).argParser(wholeNumber).default(standard);
}

export function wholeNumber(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return n;
}

/** All options of a command, those of the program with them. */
export function optionsOf<Options extends object>(command: Command): Options & GlobalOptions {
  return command.optsWithGlobals();
}

export function createProgram(io: Io, nouns: readonly Noun[], version: string): Command {
  const program = new Command('sallyport')
    .description('An access gateway for AI agents: who they are, what they may do, and a record of all they did.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('--config <file>', 'configuration (default: ./sallyport.yaml, if it is there)')
    .option('--data <dir>', 'data directory (default: `data` of the configuration, ./data)')
    .option('--console <url>', 'console to ask (default: the one that runs on the data directory)')
    .option('--token <token>', 'token to ask with (default: $SALLYPORT_TOKEN, the login, the operator of this machine)')
    .configureHelp({ showGlobalOptions: true, ...(io.columns === undefined ? {} : { helpWidth: io.columns }) })
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      outputError: (text, write) => write(`sallyport: ${text.replace(/^error: /, '')}`),
    })
    .showHelpAfterError('(--help says more)')
    .showSuggestionAfterError(true)
    .helpCommand(false)
    .exitOverride();
  for (const noun of nouns) noun(program, io);
  program.addHelpText(
    'after',
    `
Exit codes: ${EXIT.done} done · ${EXIT.found} found something (differences, a failed verification, a denial) · ${EXIT.usage} wrong use or configuration · ${EXIT.unreachable} can't reach a service`,
  );
  return program;
}

/** A group of commands; alone it prints its help. */
export function nounCommand(program: Command, name: string, description: string): Command {
  return program.command(name).description(description).helpCommand(false);
}

export function report(error: CliError, io: Io): void {
  io.err(`sallyport: ${error.message}\n`);
  if (error.hint !== undefined) io.err(`${error.hint}\n`);
}
