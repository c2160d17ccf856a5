import { type Command, Option } from 'commander';
import type { ApprovalView } from '@sallyport/console';
import { printable } from '../io.js';
import { examples, formatOption, limitOption, type Noun, nounCommand, optionsOf } from '../program.js';
import type { Column, ListFormat } from '../table.js';
import { count, duration, moment } from '../units.js';

interface ListOptions {
  readonly format: ListFormat;
  readonly limit: number;
  readonly state?: string;
  readonly session?: string;
}

const COLUMNS: readonly Column<ApprovalView>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'PRINCIPAL', value: ({ principal }) => principal, shrinkTo: 8 },
  { title: 'RESOURCE', value: ({ resource }) => resource, shrinkTo: 8 },
  { title: 'OPERATION', value: ({ operation }) => operation, shrinkTo: 20 },
  { title: 'GROUPS', value: ({ groups }) => groups.join(', '), shrinkTo: 6 },
  { title: 'GIVEN', value: ({ given, needed }) => `${given}/${needed}`, right: true },
  {
    title: 'LEFT',
    value: ({ state, expires }) =>
      state === 'waiting' && expires !== null ? duration(Math.max(0, Date.parse(expires) - Date.now())) : null,
    right: true,
  },
];

interface Answered {
  readonly id: string;
  readonly by: string;
  readonly given: number;
  readonly needed: number;
}

export const approvals: Noun = (program, io) => {
  const noun = nounCommand(program, 'approvals', 'operations that wait for people');

  noun
    .command('list')
    .description('list what waits, or waited, newest first')
    .addOption(formatOption())
    .addOption(limitOption('approvals', 50))
    .addOption(new Option('--state <state>', 'only those').choices(['waiting', 'granted', 'denied', 'expired', 'cancelled']))
    .option('--session <id>', 'only of this session')
    .addHelpText(
      'after',
      examples('sallyport approvals list --state waiting', 'sallyport approvals list --format json | jq ".[0].operation"'),
    )
    .action(async (_, command) => {
      const options = optionsOf<ListOptions>(command);
      const [{ consoleClient }, { printList }] = await Promise.all([import('../console-client.js'), import('../table.js')]);
      const rows = await consoleClient(options, io).all<ApprovalView>(
        'approvals',
        { state: options.state, session: options.session },
        options.limit,
      );
      printList(rows, { columns: COLUMNS, format: options.format, none: 'Nothing waits for approval.' }, io);
    });

  noun
    .command('show <id>')
    .description('one of them in full')
    .addOption(formatOption())
    .addHelpText('after', examples('sallyport approvals show 01JABC'))
    .action(async (id: string, _, command) => {
      const options = optionsOf<{ format: ListFormat }>(command);
      const { consoleClient } = await import('../console-client.js');
      const approval = await consoleClient(options, io).get<ApprovalView>(`approvals/${encodeURIComponent(id)}`);
      if (options.format === 'json') io.out(`${JSON.stringify(approval, undefined, 2)}\n`);
      else io.out(describe(approval));
    });

  answer(noun.command('grant <id>').description('agree: the operation runs, once, when enough people have'), 'grant');
  answer(noun.command('deny <id>').description('refuse: one refusal is enough'), 'deny');

  function answer(command: Command, verb: 'grant' | 'deny'): void {
    command
      .option('--comment <text>', 'goes on the record, and to the agent')
      .addHelpText(
        'after',
        examples(
          `sallyport approvals ${verb} 01JABC --comment "as agreed in the stand-up"`,
          `sallyport approvals ${verb} 01JABC --token "$DANA_TOKEN"`,
        ),
      )
      .action(async (id: string, _: unknown, self: Command) => {
        const options = optionsOf<{ comment?: string }>(self);
        const { consoleClient } = await import('../console-client.js');
        const { comment } = options;
        const answered = await consoleClient(options, io).post<Answered>(
          `approvals/${encodeURIComponent(id)}/${verb}`,
          comment === undefined ? {} : { comment },
        );
        if (verb === 'deny') io.out(`Denied ${printable(answered.id)} as ${printable(answered.by)}.\n`);
        else {
          const left = answered.needed - answered.given;
          io.out(
            `Granted ${printable(answered.id)} as ${printable(answered.by)}${left > 0 ? `; ${count(left, 'more approval')} needed` : ''}.\n`,
          );
        }
      });
  }
};

function describe(approval: ApprovalView): string {
  const {
    id,
    state,
    principal,
    actors,
    resource,
    session,
    operation,
    operationNumber,
    rules,
    groups,
    needed,
    expires,
    requested,
    approvals: given,
  } = approval;
  const rows: readonly (readonly [string, string])[] = [
    ['approval', id],
    ['state', state],
    ['operation', operation],
    ['asked by', [principal ?? '–', ...actors.map(({ subject }) => subject)].join(' ← ')],
    ['on', resource],
    ['session', `${session}${operationNumber === null ? '' : `, operation ${operationNumber}`}`],
    ['needs', `${needed} of ${groups.join(', ')}`],
    ['given', given.map(({ subject, comment }) => `${subject}${comment === null ? '' : ` (${comment})`}`).join(', ') || 'none'],
    ['because', rules.map(({ title, path }) => `${title} (${path})`).join('; ')],
    ['asked at', `${moment(requested)} UTC`],
    ['until', `${moment(expires)} UTC`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(10)} ${printable(value)}\n`).join('');
}
