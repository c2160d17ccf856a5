import { EXIT } from '../exit.js';
import { examples, formatOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { ListFormat } from '../table.js';

export const policy: Noun = (program, io) => {
  const noun = nounCommand(program, 'policy', 'the rules that judge operations');
  const where =
    'directory with sallyport/, rules/, schemas/ (default: policy.path of the configuration, else the policies that come with Sallyport)';

  noun
    .command('build')
    .description('format, check, test and compile the policies to WebAssembly; needs opa')
    .option('--root <dir>', where)
    .option('--out <dir>', 'where the bundle goes (default: bundle/ below it)')
    .option('--check', 'write nothing: compare with the bundle that is there', false)
    .addHelpText(
      'after',
      examples('sallyport policy build', 'sallyport policy build --check # exit code 1 when the bundle is not of these sources'),
    )
    .action(async (_, command) => {
      const options = optionsOf<{ root?: string; out?: string; check: boolean }>(command);
      const { buildPolicy } = await import('../policy/opa.js');
      io.exit(await buildPolicy(options, io));
    });

  noun
    .command('test')
    .description('run the tests of the policies; needs opa')
    .option('--root <dir>', where)
    .option('--run <regex>', 'only tests whose name matches')
    .addHelpText('after', examples('sallyport policy test', 'sallyport policy test --run write_without_where'))
    .action(async (_, command) => {
      const options = optionsOf<{ root?: string; run?: string }>(command);
      const { testPolicy } = await import('../policy/opa.js');
      io.exit((await testPolicy(options, io)) ? EXIT.done : EXIT.found);
    });

  noun
    .command('publish')
    .description('sign the configured policy and put it on Kafka: every service switches to it. Exit code 1 when somebody else was quicker')
    .option('--bundle <dir>', 'compiled policies (default: bundle/ of policy.path, else those that come with Sallyport)')
    .option('--grants <file>', 'grants (default: policy.grants of the configuration)')
    .option('--comment <text>', 'why, for `policy log`')
    .option('--dry-run', 'check only: load the policy as services do', false)
    .addHelpText(
      'after',
      examples(
        'sallyport policy publish --comment "analysts read orders"',
        'sallyport policy publish --dry-run # changes nothing, needs no Kafka',
      ),
    )
    .action(async (_, command) => {
      const { publish } = await import('../policy/publish.js');
      await publish(optionsOf<{ bundle?: string; grants?: string; comment?: string; dryRun: boolean }>(command), io);
    });

  noun
    .command('log')
    .description('list what was published: who, when, and whether it is live, was replaced, or is refused and why')
    .addOption(formatOption())
    .addHelpText('after', examples('sallyport policy log', 'sallyport policy log --format json'))
    .action(async (_, command) => {
      const { log } = await import('../policy/log.js');
      await log(optionsOf<{ format: ListFormat }>(command), io);
    });
};
