import type { PrincipalView, RevocationView, SessionView } from '@sallyport/console';
import { CliError, EXIT, wrongUse } from '../exit.js';
import { printable } from '../io.js';
import { examples, formatOption, limitOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { Column, ListFormat } from '../table.js';
import { count, moment } from '../units.js';
import { REVOCATION_COLUMNS } from './revocations.js';
import { SESSION_COLUMNS } from './sessions.js';

const COLUMNS: readonly Column<PrincipalView>[] = [
  { title: 'PRINCIPAL', value: ({ principal }) => principal, shrinkTo: 8 },
  { title: 'ISSUER', value: ({ issuer }) => issuer, shrinkTo: 10 },
  { title: 'OPEN', value: ({ open }) => open, right: true },
  { title: 'SESSIONS', value: ({ sessions }) => sessions, right: true },
  { title: 'OPS', value: ({ operations }) => operations, right: true },
  { title: 'DENIED', value: ({ denials }) => denials, right: true },
  { title: 'LAST SEEN (UTC)', value: ({ lastSeen }) => moment(lastSeen) },
];

export const principals: Noun = (program, io) => {
  const noun = nounCommand(program, 'principals', 'who has had sessions: people and agents');

  noun
    .command('list')
    .description('list principals')
    .addOption(formatOption())
    .addOption(limitOption('principals', 100))
    .addHelpText('after', examples('sallyport principals list --format json'))
    .action(async (_, command) => {
      const options = optionsOf<{ format: ListFormat; limit: number }>(command);
      const [{ consoleClient }, { printList }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const rows = await consoleClient(options, io).all<PrincipalView>('principals', {}, options.limit);
      printList(rows, { columns: COLUMNS, format: options.format, none: 'Nobody has had a session yet.' }, io);
    });

  noun
    .command('show <subject>')
    .description('one principal, its newest sessions, and whether it was revoked')
    .addOption(formatOption())
    .addHelpText('after', examples('sallyport principals show crew-stock'))
    .action(async (subject: string, _, command) => {
      const options = optionsOf<{ format: ListFormat }>(command);
      const [{ consoleClient }, { printList, renderTable }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const client = consoleClient(options, io);
      const rows = await client.all<PrincipalView>('principals', { principal: subject });
      const revocations = await client.all<RevocationView>('revocations', { principal: subject }, 10);
      if (rows.length + revocations.length === 0) throw new CliError(EXIT.found, `${printable(subject)} has had no session`);
      const sessions = await client.all<SessionView>('sessions', { principal: subject }, 10);
      if (options.format === 'json')
        printList([{ principals: rows, sessions, revocations }], { columns: [], format: 'json', none: '' }, io);
      else {
        io.out(`${renderTable(rows, COLUMNS, io)}\n${renderTable(sessions, SESSION_COLUMNS, io)}`);
        if (revocations.length > 0) io.out(`\n${renderTable(revocations, REVOCATION_COLUMNS, io)}`);
      }
    });

  noun
    .command('revoke <subject>')
    .description('end every live session of a principal, on every edge, at once')
    .option('--reason <text>', 'goes on the record, and to the agent')
    .option('--issuer <url>', 'only the principal of this issuer (default: of any)')
    .option('--wait <seconds>', 'how long to wait for the edges to confirm it', seconds, WAIT_SECONDS)
    .addHelpText(
      'after',
      examples('sallyport principals revoke crew-stock --reason "odd queries"') +
        '\nIt ends what runs, and tokens from before open nothing any more. What may begin with new ones is a matter of the identity provider and\nof the grants: take those away too. Exit code 1: some edge has not confirmed it yet.\n',
    )
    .action(async (subject: string, _, command) => {
      const options = optionsOf<{ reason?: string; issuer?: string; wait: number }>(command);
      const [{ consoleClient }, { printConfirmations }] = await Promise.all([
        import('../console-client.js'),
        import('../revocations/confirmations.js'),
      ]);
      const { reason, issuer } = options;
      const body = { ...(reason === undefined ? {} : { reason }), ...(issuer === undefined ? {} : { issuer }) };
      const client = consoleClient(options, io);
      const path = `principals/${encodeURIComponent(subject)}/revoke`;
      const { open, revocation } = await client.post<{ open: number; revocation: string }>(path, body);
      io.out(`Revoked ${printable(subject)}: ${open === 0 ? 'no session was open' : `${count(open, 'session')} had to end`}.\n`);
      await printConfirmations(client, { id: revocation, principal: subject, waitMs: options.wait * 1000 }, io);
      const left = open === 0 ? 0 : await stillOpen();
      if (left > 0)
        throw new CliError(EXIT.found, `${count(left, 'session')} did not end yet`, {
          hint: `Look again: sallyport sessions list --state open --principal ${printable(subject)}`,
        });

      /** P10: within a second. The read models are a little behind. */
      async function stillOpen(): Promise<number> {
        for (let tries = 1; ; tries += 1) {
          const rows = await client.all<SessionView>('sessions', {
            principal: subject,
            state: 'open',
            ...(issuer === undefined ? {} : { issuer }),
          });
          if (rows.length === 0 || tries >= 12 || io.signal.aborted) return rows.length;
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
      }
    });
};

/** P10 says a second; the read model is a little behind. */
const WAIT_SECONDS = 2;
const WAIT_MAX_SECONDS = 3600;

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= WAIT_MAX_SECONDS)) throw wrongUse('--wait takes seconds, from 0 to 3600');
  return value;
}
