import { EXIT } from '../exit.js';
import { examples, type Noun, optionsOf } from '../program.js';

interface VerifyCliOptions {
  readonly keys?: string;
  readonly checkpoint?: string;
  readonly printKeys: boolean;
  readonly format: 'text' | 'json';
}

export const verify: Noun = (program, io) => {
  program
    .command('verify [path-or-session]')
    .description('check that a record is what was written (integrity) and all of it (completeness)')
    .option('--keys <file>', 'verifier keys to trust, from elsewhere (default: those beside the record)')
    .option('--checkpoint <file>', 'a signed checkpoint kept elsewhere: shows when the end of the log was cut off')
    .option('--print-keys', 'print the verifier keys of the data directory, to hand out', false)
    .option('--format <format>', 'lines to read, or a JSON report', 'text')
    .addHelpText(
      'after',
      examples(
        'sallyport verify # the log of this data directory, or of the configured Kafka',
        'sallyport verify backup/data # a copy of one',
        'sallyport verify evidence --keys keys.txt # what sessions export wrote',
        'sallyport verify 01JABC # one session, from the Sallyport that runs',
        'sallyport verify --print-keys > keys.txt',
      ) + '\nExit code 1 when either of the two verdicts is a no.\n',
    )
    .action(async (target: string | undefined, _, command) => {
      const options = optionsOf<VerifyCliOptions>(command);
      const { printKeys, runVerify } = await import('../verify/run-verify.js');
      if (options.printKeys) return printKeys(target, options, io);
      io.exit((await runVerify(target, options, io)) ? EXIT.done : EXIT.found);
    });
};
