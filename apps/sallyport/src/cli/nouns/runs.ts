import type { RunView, SessionView } from '@sallyport/console';
import { examples, formatOption, limitOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { Column, ListFormat } from '../table.js';
import { moment } from '../units.js';
import { SESSION_COLUMNS } from './sessions.js';

const COLUMNS: readonly Column<RunView>[] = [
  { title: 'RUN', value: ({ id }) => id, shrinkTo: 8 },
  {
    title: 'PRINCIPALS',
    value: ({ principals, principalsTruncated }) => principals.map(({ subject }) => subject).join(', ') + (principalsTruncated ? ' …' : ''),
    shrinkTo: 10,
  },
  { title: 'OPEN', value: ({ open }) => open, right: true },
  { title: 'SESSIONS', value: ({ sessions }) => sessions, right: true },
  { title: 'OPS', value: ({ operations }) => operations, right: true },
  { title: 'DENIED', value: ({ denials }) => denials, right: true },
  { title: 'FIRST SEEN (UTC)', value: ({ firstSeen }) => moment(firstSeen) },
  { title: 'LAST SEEN (UTC)', value: ({ lastSeen }) => moment(lastSeen) },
];

export const runs: Noun = (program, io) => {
  const noun = nounCommand(program, 'runs', 'the work of crews: sessions that belong together');

  noun
    .command('list')
    .description('list runs, newest first')
    .addOption(formatOption())
    .addOption(limitOption('runs', 50))
    .addHelpText('after', examples('sallyport runs list'))
    .action(async (_, command) => {
      const options = optionsOf<{ format: ListFormat; limit: number }>(command);
      const [{ consoleClient }, { printList }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const rows = await consoleClient(options, io).all<RunView>('runs', {}, options.limit);
      printList(
        rows,
        { columns: COLUMNS, format: options.format, none: 'No runs: clients name theirs, as application_name=run:RUN/agent:NAME.' },
        io,
      );
    });

  noun
    .command('show <run>')
    .description('one run, and its sessions')
    .addOption(formatOption())
    .addHelpText('after', examples('sallyport runs show nightly-42'))
    .action(async (id: string, _, command) => {
      const options = optionsOf<{ format: ListFormat }>(command);
      const [{ consoleClient }, { renderTable }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const client = consoleClient(options, io);
      const run = await client.get<RunView>(`runs/${encodeURIComponent(id)}`);
      const sessions = await client.all<SessionView>('sessions', { run: id });
      if (options.format === 'json') io.out(`${JSON.stringify({ ...run, sessionRows: sessions }, undefined, 2)}\n`);
      else io.out(`${renderTable([run], COLUMNS, io)}\n${renderTable(sessions, SESSION_COLUMNS, io)}`);
    });
};
