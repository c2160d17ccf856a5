import { EXIT } from '../exit.js';
import { examples, type Noun, nounCommand, optionsOf } from '../program.js';

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
};
