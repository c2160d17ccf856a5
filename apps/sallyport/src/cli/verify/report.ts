import type { Problem, VerifyReport } from '@sallyport/ledger';
import { type Io, paint, type Paint, printable } from '../io.js';
import { count } from '../units.js';

export interface Verified {
  readonly kind: 'log' | 'evidence';
  /** What was looked at, for people. */
  readonly what: string;
  readonly reports: readonly VerifyReport[];
  readonly unsigned: readonly VerifyReport[];
  readonly torn: readonly string[];
}

/** Problems of one verdict that are printed; JSON has up to a thousand. */
const PROBLEMS_SHOWN = 20;

/** Two verdicts for each log, what is wrong and where, and what one has to know beside it. */
export function renderReport({ kind, what, reports, unsigned, torn }: Verified, isGood: boolean, io: Pick<Io, 'color'>): string {
  const pens = paint(io.color);
  const lines = [`Verified the ${printable(what)}`, ''];
  for (const report of reports) lines.push(...oneLog(report, kind, pens), '');
  for (const report of unsigned) {
    const state = report.integrity.ok ? pens.green('ok') : pens.red('FAILED');
    lines.push(`${report.log}  ${count(report.events, 'event')}, no checkpoints; readable: ${state}`, ...problems(report.integrity, pens));
  }
  if (unsigned.length > 0) lines.push('');
  const notes = [...new Set(reports.flatMap((report) => report.notes))];
  const unfinished =
    torn.length === 0
      ? []
      : [`An unfinished write at the end of ${[...new Set(torn)].join(', ')}: a kill leaves one, or a copy made while it was written.`];
  for (const note of [...notes, ...unfinished]) lines.push(pens.dim(`Note: ${note}`));
  lines.push(
    isGood
      ? pens.green('The record is what was written, and all of it is there.')
      : pens.red('The record can not be relied upon as it is.'),
  );
  return `${lines.join('\n')}\n`;
}

function oneLog(report: VerifyReport, kind: Verified['kind'], pens: Paint): string[] {
  const { log, events, redelivered, sessions, keys, integrity, completeness } = report;
  const states = [`${sessions.closed} closed`, `${sessions.aborted} aborted`, `${sessions.open.length} open`].filter(
    (text) => !text.startsWith('0 '),
  );
  return [
    `${pens.bold(printable(log))}  ${count(events, 'event')}${redelivered > 0 ? ` (${redelivered} of them twice)` : ''}, ${count(sessions.opened, 'session')}${states.length > 0 ? ` (${states.join(', ')})` : ''}`,
    `${kind === 'log' ? coverage(report) : proofs(report)}; keys ${keys}`,
    '',
    verdict('integrity', integrity, pens),
    ...problems(integrity, pens),
    verdict('completeness', completeness, pens),
    ...problems(completeness, pens),
  ];
}

function coverage({ checkpoints, events, uncovered }: VerifyReport): string {
  const signed = count(checkpoints.count, 'signed checkpoint');
  if (checkpoints.covered < 0) return `${signed}, none fits`;
  return `${signed}, the newest that fits covers ${checkpoints.covered} of ${events} events${uncovered > 0 ? ` (${uncovered} newer)` : ''}`;
}

/** An export has one checkpoint, of the whole log, and a proof for each event. */
function proofs({ checkpoints, events, uncovered }: VerifyReport): string {
  if (checkpoints.covered < 0) return 'no checkpoint that a trusted key signed';
  return `${events - uncovered} of ${events} events proven in a signed log of ${checkpoints.covered}`;
}

function verdict(name: string, { ok, count: found }: { readonly ok: boolean; readonly count: number }, { green, red }: Paint): string {
  return `  ${name.padEnd(13)} ${ok ? green('ok') : `${red('FAILED')}  ${count(found, 'problem')}`}`;
}

function problems(
  { problems: found, count: all }: { readonly problems: readonly Problem[]; readonly count: number },
  pens: Paint,
): string[] {
  const shown = found.slice(0, PROBLEMS_SHOWN).flatMap(({ code, place, message }) => {
    const where = [
      place.file,
      place.offset === undefined ? undefined : `offset ${place.offset}`,
      place.event === undefined ? undefined : `event ${place.event}`,
      place.event === undefined && place.session !== undefined ? `session ${place.session}` : undefined,
    ].filter((part) => part !== undefined);
    return [`    ${pens.yellow(code)}  ${pens.dim(printable(where.join(', ')))}`.trimEnd(), `      ${printable(message)}`];
  });
  return all > PROBLEMS_SHOWN ? [...shown, `    and ${count(all - PROBLEMS_SHOWN, 'more problem')} (--format json lists them)`] : shown;
}
