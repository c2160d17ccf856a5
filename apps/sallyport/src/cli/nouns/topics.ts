import { EXIT } from '../exit.js';
import { examples, formatOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { ListFormat } from '../table.js';

export const topics: Noun = (program, io) => {
  const noun = nounCommand(program, 'topics', 'the topics on Kafka: what keeps the record, and for how long');

  noun
    .command('apply')
    .description(
      'make missing topics, and set on the others what keeps the record; never deletes. Exit code 1 when something still differs',
    )
    .option('--acls', 'let each service’s Kafka user (bus.kafka.acls) do what that service does, and nothing else', false)
    .option('--dry-run', 'change nothing: say what differs', false)
    .addOption(formatOption())
    .addHelpText(
      'after',
      examples(
        'sallyport topics apply',
        'sallyport topics apply --dry-run # exit code 1 when something differs',
        'sallyport topics apply --acls    # as a user that may change ACLs',
      ),
    )
    .action(async (_, command) => {
      const { apply } = await import('../topics/topics.js');
      const isClean = await apply(optionsOf<{ acls: boolean; dryRun: boolean; format: ListFormat }>(command), io);
      io.exit(isClean ? EXIT.done : EXIT.found);
    });
};
