import { Option } from 'commander';
import type { SessionView } from '@sallyport/console';
import { cut } from '../io.js';
import { examples, formatOption, jsonOption, limitOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { Column, ListFormat } from '../table.js';
import { count, duration, moment } from '../units.js';

interface ListOptions {
  readonly format: ListFormat;
  readonly limit: number;
  readonly state?: string;
  readonly principal?: string;
  readonly resource?: string;
  readonly run?: string;
  readonly since?: string;
  readonly until?: string;
}

export const SESSION_COLUMNS: readonly Column<SessionView>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'PRINCIPAL', value: ({ principal }) => principal, shrinkTo: 8 },
  { title: 'RESOURCE', value: ({ resource }) => resource, shrinkTo: 8 },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'OPENED (UTC)', value: ({ opened }) => moment(opened) },
  {
    title: 'LASTED',
    value: ({ opened, closed }) => (closed === null ? null : duration(Date.parse(closed) - Date.parse(opened))),
    right: true,
  },
  { title: 'OPS', value: ({ operations }) => operations, right: true },
  { title: 'DENIED', value: ({ denials }) => denials, right: true },
  { title: 'ROWS', value: ({ rows }) => rows, right: true },
  { title: 'RUN', value: ({ run }) => run, shrinkTo: 4 },
];

export const sessions: Noun = (program, io) => {
  const noun = nounCommand(program, 'sessions', 'what agents did: list, look at and replay sessions');

  noun
    .command('list')
    .description('list sessions, newest first')
    .addOption(formatOption())
    .addOption(limitOption('sessions', 50))
    .addOption(new Option('--state <state>', 'only those').choices(['open', 'closed', 'aborted']))
    .option('--principal <subject>', 'only of this principal')
    .option('--resource <name>', 'only on this resource')
    .option('--run <run>', 'only of this run')
    .option('--since <time>', 'opened at or after, as 2026-01-31T12:00:00Z')
    .option('--until <time>', 'opened before')
    .addHelpText(
      'after',
      examples('sallyport sessions list --state open', 'sallyport sessions list --principal crew-stock --format json | jq -r ".[].id"'),
    )
    .action(async (_, command) => {
      const options = optionsOf<ListOptions>(command);
      const [{ consoleClient }, { printList }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const { state, principal, resource, run, since, until } = options;
      const rows = await consoleClient(options, io).all<SessionView>(
        'sessions',
        { state, principal, resource, run, since, until },
        options.limit,
      );
      printList(rows, { columns: SESSION_COLUMNS, format: options.format, none: 'No sessions.' }, io);
    });

  noun
    .command('show <id>')
    .description('one session with its events, as JSON')
    .addOption(jsonOption())
    .option('--no-events', 'leave the events out')
    .addHelpText('after', examples('sallyport sessions show 01JABC | jq ".events[].type"'))
    .action(async (id: string, _, command) => {
      const options = optionsOf<{ events: boolean }>(command);
      const { consoleClient } = await import('../console-client.js');
      const client = consoleClient(options, io);
      const session = await client.get<SessionView>(`sessions/${encodeURIComponent(id)}`);
      const events = options.events ? { events: await client.all(`sessions/${encodeURIComponent(id)}/events`) } : {};
      io.out(`${JSON.stringify({ ...session, ...events }, undefined, 2)}\n`);
    });

  noun
    .command('replay <id>')
    .description('what happened in a session, as a timeline')
    .addHelpText('after', examples('sallyport sessions replay 01JABC', 'sallyport sessions replay 01JABC | less -R'))
    .action(async (id: string, _, command) => {
      const options = optionsOf(command);
      const [{ consoleClient }, { Timeline }] = await Promise.all([import('../console-client.js'), import('../sessions/timeline.js')]);
      const client = consoleClient(options, io);
      const session = await client.get<SessionView>(`sessions/${encodeURIComponent(id)}`);
      const timeline = new Timeline(io);
      for await (const event of client.rows<object>(`sessions/${encodeURIComponent(id)}/events`)) io.out(timeline.event(event));
      io.out(timeline.end(session.state));
    });

  noun
    .command('tail [id]')
    .description('what happens now, in all sessions or in one, until it ends or Ctrl-C')
    .addOption(new Option('--format <format>', 'lines to read, or events as JSON, one a line').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      examples('sallyport sessions tail', 'sallyport sessions tail 01JABC', 'sallyport sessions tail --format json | jq .type'),
    )
    .action(async (id: string | undefined, _, command) => {
      const options = optionsOf<{ format: 'text' | 'json' }>(command);
      const [{ consoleClient }, { tail }] = await Promise.all([import('../console-client.js'), import('../sessions/tail.js')]);
      await tail(consoleClient(options, io), { session: id, format: options.format }, io);
    });

  noun
    .command('export <id>')
    .description('write the evidence of a session: events, checkpoint, proofs, keys')
    .requiredOption('--out <dir>', 'directory to write to; made when it is not there')
    .addHelpText(
      'after',
      examples('sallyport sessions export 01JABC --out evidence', 'sallyport verify evidence --keys keys.txt # anybody can, offline'),
    )
    .action(async (id: string, _, command) => {
      const options = optionsOf<{ out: string }>(command);
      const [{ consoleClient }, { exportSession }] = await Promise.all([import('../console-client.js'), import('../sessions/export.js')]);
      const { directory, events } = await exportSession(consoleClient(options, io), id, options.out, io.cwd);
      io.err(`${count(events, 'event')} of ${cut(id, 80)} are in ${directory}. Check them with: sallyport verify ${options.out}\n`);
    });
};
