import { examples, type Noun, nounCommand, optionsOf } from '../program.js';

export const keys: Noun = (program, io) => {
  const noun = nounCommand(program, 'keys', 'the keys that services sign with, and whose word is taken');

  noun
    .command('show')
    .description('print the public keys of services of this machine, one a line: what every machine’s trust.keys has to hold')
    .argument(
      '[service...]',
      'edge, decision, vendor, projector, ledger or console; made when they are missing (default: those that are there)',
    )
    .addHelpText(
      'after',
      examples(
        'sallyport keys show edge # on the machine of an edge; makes its key when there is none',
        'sallyport keys show edge >> services.keys # then bring services.keys to every machine',
      ),
    )
    .action(async (services: string[], _, command) => {
      const { show } = await import('../keys/keys.js');
      await show(services, optionsOf(command), io);
    });

  noun
    .command('enrolled')
    .description('list the keys whose word is taken here (trust.keys)')
    .action(async (_, command) => {
      const { enrolled } = await import('../keys/keys.js');
      enrolled(optionsOf(command), io);
    });
};
