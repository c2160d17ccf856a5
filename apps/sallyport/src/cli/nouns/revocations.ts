import { Option } from 'commander';
import type { RevocationView } from '@sallyport/console';
import { examples, formatOption, limitOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { Column, ListFormat } from '../table.js';
import { moment } from '../units.js';

interface ListOptions {
  readonly format: ListFormat;
  readonly limit: number;
  readonly kind?: string;
  readonly principal?: string;
  readonly session?: string;
}

const edges = ({ edges: all }: RevocationView, state: 'confirmed' | 'unconfirmed'): string | null =>
  all
    .filter((one) => one.state === state)
    .map(({ edge }) => edge)
    .join(', ') || null;

export const REVOCATION_COLUMNS: readonly Column<RevocationView>[] = [
  { title: 'REVOKED (UTC)', value: ({ time }) => moment(time) },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'WHO', value: ({ principal, session }) => principal ?? session, shrinkTo: 8 },
  { title: 'BY', value: ({ by }) => by, shrinkTo: 6 },
  { title: 'REASON', value: ({ reason }) => reason, shrinkTo: 8 },
  { title: 'CONFIRMED BY', value: (view) => edges(view, 'confirmed'), shrinkTo: 10 },
  { title: 'UNCONFIRMED', value: (view) => edges(view, 'unconfirmed'), shrinkTo: 10 },
];

export const revocations: Noun = (program, io) => {
  const noun = nounCommand(program, 'revocations', 'who was revoked, and which edges have confirmed it');

  noun
    .command('list')
    .description('list revocations, newest first')
    .addOption(formatOption())
    .addOption(limitOption('revocations', 50))
    .addOption(new Option('--kind <kind>', 'only those').choices(['principal', 'session']))
    .option('--principal <subject>', 'only of this principal')
    .option('--session <id>', 'only of this session')
    .addHelpText(
      'after',
      examples('sallyport revocations list', 'sallyport revocations list --format json | jq ".[] | select(.confirmed | not)"'),
    )
    .action(async (_, command) => {
      const options = optionsOf<ListOptions>(command);
      const [{ consoleClient }, { printList }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const { kind, principal, session } = options;
      const rows = await consoleClient(options, io).all<RevocationView>('revocations', { kind, principal, session }, options.limit);
      printList(rows, { columns: REVOCATION_COLUMNS, format: options.format, none: 'Nobody was revoked.' }, io);
    });
};
