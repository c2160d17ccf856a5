import { EXIT } from '../exit.js';
import { examples, type Noun, nounCommand, optionsOf } from '../program.js';

export const config: Noun = (program, io) => {
  const noun = nounCommand(program, 'config', 'the configuration file');

  noun
    .command('check')
    .description('say what is wrong with the configuration, each mistake with its line')
    .option('--dev', 'also check that a development issuer may run beside it', false)
    .addHelpText('after', examples('sallyport config check', 'sallyport config check --config deploy/sallyport.yaml'))
    .action(async (_, command) => {
      const options = optionsOf<{ dev: boolean }>(command);
      const { checkConfiguration } = await import('../configuration/check.js');
      io.exit((await checkConfiguration(options, options.dev, io)) ? EXIT.done : EXIT.usage);
    });

  noun
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .addHelpText('after', examples('sallyport config schema > sallyport.schema.json'))
    .action(async () => {
      const { configJsonSchema } = await import('@sallyport/config');
      io.out(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
    });
};
