import { EXIT } from '../exit.js';
import { examples, formatOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { ListFormat } from '../table.js';

export const projections: Noun = (program, io) => {
  const noun = nounCommand(program, 'projections', 'the read models: what lists and searches come from');

  noun
    .command('status')
    .description('how far the read models are behind the log, and the log signed; exit code 1 when something is')
    .addOption(formatOption())
    .addHelpText('after', examples('sallyport projections status'))
    .action(async (_, command) => {
      const options = optionsOf<{ format: ListFormat }>(command);
      const { status } = await import('../projections/projections.js');
      io.exit((await status(options, io)) ? EXIT.done : EXIT.found);
    });

  noun
    .command('rebuild')
    .description('make the read models anew from the log, while they are in use')
    .addHelpText('after', examples('sallyport projections rebuild'))
    .action(async (_, command) => {
      const { rebuild } = await import('../projections/projections.js');
      await rebuild(optionsOf(command), io);
    });
};
