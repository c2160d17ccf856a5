import { Option } from 'commander';
import { CliError } from '../exit.js';
import { examples, type Noun, optionsOf } from '../program.js';

export const up: Noun = (program, io) => {
  program
    .command('up')
    .description('run everything with one command: edge, decision, vendor, projector, console')
    .addOption(new Option('--ready-file <file>', 'written, whole, when every listener accepts: JSON with addresses, revision, pid'))
    .option('--dev', 'start a development issuer too; loopback listeners only', false)
    .addHelpText(
      'after',
      examples(
        'sallyport up # without a configuration: a sample shop and a development issuer',
        'sallyport up --config sallyport.yaml --data /var/lib/sallyport',
        'sallyport up --dev --ready-file ready.json # for scripts: ready.json has a token for everybody',
      ) + '\nSIGTERM and Ctrl-C drain the sessions and exit 0. docs/limits.md has every limit.\n',
    )
    .action(async (_, command) => {
      const { config, data, readyFile, dev } = optionsOf<{ readyFile?: string; dev: boolean }>(command);
      const { runUp } = await import('../../up/index.js');
      try {
        io.exit(
          await runUp({
            ...(config === undefined ? {} : { config }),
            ...(data === undefined ? {} : { data }),
            ...(readyFile === undefined ? {} : { readyFile }),
            dev,
          }),
        );
      } catch (error) {
        throw error instanceof CliError ? error : new CliError(1, error instanceof Error ? error.message : String(error), { cause: error });
      }
    });
};
