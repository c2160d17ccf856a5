import { Option } from 'commander';
import type { LeaseView } from '@sallyport/console';
import { examples, formatOption, limitOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { Column, ListFormat } from '../table.js';
import { moment } from '../units.js';

interface ListOptions {
  readonly format: ListFormat;
  readonly limit: number;
  readonly state?: string;
  readonly session?: string;
  readonly resource?: string;
}

const COLUMNS: readonly Column<LeaseView>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'RESOURCE', value: ({ resource }) => resource, shrinkTo: 8 },
  { title: 'LOGIN', value: ({ login }) => login, shrinkTo: 10 },
  { title: 'PROFILES', value: ({ profiles }) => profiles.join(', '), shrinkTo: 8 },
  { title: 'SESSION', value: ({ session }) => session },
  { title: 'ISSUED (UTC)', value: ({ issued }) => moment(issued) },
  { title: 'EXPIRES (UTC)', value: ({ expires }) => moment(expires) },
  { title: 'ENDED (UTC)', value: ({ ended }) => moment(ended) },
];

export const leases: Noun = (program, io) => {
  nounCommand(program, 'leases', 'credentials that were issued for sessions')
    .command('list')
    .description('list credentials, newest first; never their secrets')
    .addOption(formatOption())
    .addOption(limitOption('leases', 50))
    .addOption(new Option('--state <state>', 'only those').choices(['issued', 'failed', 'dropped', 'swept']))
    .option('--session <id>', 'only of this session')
    .option('--resource <name>', 'only for this resource')
    .addHelpText('after', examples('sallyport leases list --state issued # which credentials live now'))
    .action(async (_, command) => {
      const options = optionsOf<ListOptions>(command);
      const [{ consoleClient }, { printList }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const { state, session, resource } = options;
      const rows = await consoleClient(options, io).all<LeaseView>('leases', { state, session, resource }, options.limit);
      printList(rows, { columns: COLUMNS, format: options.format, none: 'No leases.' }, io);
    });
};
