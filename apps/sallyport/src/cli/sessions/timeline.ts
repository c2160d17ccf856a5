import type { Envelope, SessionEvents } from '@sallyport/events';
import { cut, type Io, paint, type Paint, printable } from '../io.js';
import { bytes, count, duration, micros, moment } from '../units.js';

export interface TimelineOptions {
  /** Set where lines of several sessions mix: each line then names its session and has the time of day. */
  readonly session?: string;
}

type Mark = (text: string) => string;

/** Shown in the first column; further lines of an event are indented by it. */
const TIME_CHARS = 10;
const WHAT_CHARS = 10;
const SESSION_CHARS = 12;
const WIDTH_MIN = 60;
const WIDTH_STANDARD = 120;

/** Turns the events of a session, one after the other, into lines for people. */
export class Timeline {
  readonly #paint: Paint;
  readonly #width: number;
  readonly #session: string | undefined;
  #startMs: number | undefined;
  #submitted = new Map<number, { readonly timeMs: number }>();
  #ended = false;

  constructor(io: Pick<Io, 'color' | 'columns'>, { session }: TimelineOptions = {}) {
    this.#paint = paint(io.color);
    this.#width = Math.max(WIDTH_MIN, io.columns ?? WIDTH_STANDARD);
    this.#session = session;
  }

  /** The lines of one event, each with its end; empty for what people need not see. */
  event(event: object): string {
    const { type, data, time } = event as Envelope;
    if (typeof type !== 'string' || typeof data !== 'object' || data === null)
      return this.#line(undefined, '?', this.#paint.red, ['an event that can not be read']);
    const timeMs = Date.parse(time);
    this.#startMs ??= timeMs;
    const shown = Object.hasOwn(this.#views, type) ? this.#views[type as keyof SessionEvents] : undefined;
    try {
      return shown
        ? (shown as (data: unknown, timeMs: number) => string)(data, timeMs)
        : this.#line(timeMs, printable(type), this.#paint.dim, []);
    } catch {
      return this.#line(timeMs, printable(type), this.#paint.red, ['the data of this event is not as it should be']);
    }
  }

  /** What is to be said when there are no more events. */
  end(state: string): string {
    if (this.#ended) return '';
    return state === 'open' ? `${this.#paint.dim('The session is open: this is what happened so far.')}\n` : '';
  }

  readonly #views: { readonly [Type in keyof SessionEvents]: (data: SessionEvents[Type], timeMs: number) => string } = {
    'session.opened': ({ session, principal, resource, database, run, client, audit, profiles, rulesOff }, timeMs) => {
      const { bold, yellow } = this.#paint;
      const actors = principal.actors.map(({ subject }) => subject);
      const heading =
        this.#session === undefined
          ? `${bold(`${printable(principal.subject)} on ${printable(resource.name)}`)}  session ${printable(session)}\n\n`
          : '';
      const facts = [
        `${this.#session === undefined ? '' : `${printable(principal.subject)} on ${printable(resource.name)}, `}${principal.kind}${principal.groups.length > 0 ? ` in ${principal.groups.map(printable).join(', ')}` : ''}, by ${printable(principal.issuer)}`,
        ...(actors.length > 0 ? [`acting for it: ${actors.map(printable).join(' ← ')}`] : []),
        `${moment(new Date(timeMs).toISOString())} UTC from ${printable(client.address)}${client.application === '' ? '' : ` as ${cut(client.application, 60)}`}${client.tls ? ', TLS' : ''}`,
        `${resource.kind}${database === undefined ? '' : ` database ${printable(database)}`}, credential profile ${profiles.map(printable).join(', ') || 'none'}, record ${audit.record}, ${audit.durability}`,
        ...(run === null ? [] : [`run ${printable(run)}`]),
        ...(rulesOff ? [yellow('default rules are off for this session')] : []),
      ];
      return heading + this.#line(timeMs, 'opened', this.#paint.green, facts);
    },

    'lease.obtained': ({ login, profiles, source, expiresAtMs }, timeMs) =>
      this.#line(timeMs, 'credential', this.#paint.dim, [
        `${printable(login)} (${source}, ${profiles.map(printable).join(', ')}), good for ${duration(expiresAtMs - timeMs)}`,
      ]),

    'operation.submitted': ({ operation, text, textTruncated, verdict, masked }, timeMs) => {
      this.#submitted.set(operation, { timeMs });
      const { bold, dim, yellow } = this.#paint;
      return this.#line(timeMs, verdict.decision, this.#verdictPaint(verdict.decision), [
        `${dim(`#${operation}`)} ${bold(cut(text, this.#width * 2))}${textTruncated ? dim(' (cut)') : ''}${masked ? dim(' (masked)') : ''}`,
        ...verdict.rules.map(({ path, title }) => dim(`${printable(title)} (${printable(path)})`)),
        ...(verdict.decision === 'allow' ? [] : verdict.reasons.map((reason) => printable(reason))),
        ...(verdict.rulesOff ? [yellow('default rules off')] : []),
      ]);
    },

    'approval.requested': ({ hold, operation, groups, needed, expires }, timeMs) =>
      this.#line(timeMs, 'waits', this.#paint.yellow, [
        `#${operation} for ${count(needed, 'approval')} of ${groups.map(printable).join(', ')}, ${duration(Date.parse(expires) - timeMs)} at most (${printable(hold)})`,
      ]),

    'approval.applied': ({ operation, outcome, by, windowEnds }, timeMs) => {
      const submitted = this.#submitted.get(operation);
      const waited = submitted === undefined ? '' : ` after ${duration(timeMs - submitted.timeMs)}`;
      const people = by.map(
        ({ subject, comment }) => `${printable(subject)}${comment === undefined ? '' : `: “${cut(comment, this.#width)}”`}`,
      );
      const mark = outcome === 'granted' ? this.#paint.green : this.#paint.red;
      const window = windowEnds === undefined ? '' : `, good until ${moment(windowEnds).slice(11)} UTC`;
      return this.#line(timeMs, outcome, mark, [`#${operation}${people.length === 0 ? '' : ` by ${people.join(', ')}`}${waited}${window}`]);
    },

    'operation.completed': ({ operation, outcome, tag, rows, bytes: size, durationMicros, error, masked }, timeMs) => {
      this.#submitted.delete(operation);
      const { dim, red, yellow } = this.#paint;
      const parts = [
        tag === '' ? '' : cut(tag, 40),
        rows === 0 ? '' : count(rows, 'row'),
        size === 0 ? '' : bytes(size),
        micros(durationMicros),
      ].filter((part) => part !== '');
      const masks = Object.entries(masked).map(([column, n]) => `${printable(column)} ×${n}`);
      return this.#line(timeMs, outcome, outcome === 'ok' ? dim : red, [
        `#${operation} ${parts.join(', ')}`,
        ...(masks.length === 0 ? [] : [yellow(`masked ${masks.join(', ')}`)]),
        ...(error === undefined
          ? []
          : [`${printable(error.code)}${error.message === undefined ? '' : ` ${cut(error.message, this.#width)}`}`]),
      ]);
    },

    // How it looked is for a terminal recording; how much it was stands with the completion.
    'output.recorded': () => '',

    'secret.observed': ({ kind, place, operation }, timeMs) =>
      this.#line(timeMs, 'secret', this.#paint.red, [`#${operation} ${printable(kind)} seen in ${printable(place)}`]),

    'session.closed': ({ reason, detail, operations, rows, bytes: size, denials }, timeMs) => {
      this.#ended = true;
      const sums = [count(operations, 'operation'), `${denials} denied`, count(rows, 'row'), bytes(size)];
      return this.#line(timeMs, 'closed', reason === 'client' ? this.#paint.green : this.#paint.yellow, [
        `${WHY[reason] ?? printable(reason)}${detail === undefined ? '' : ` (${cut(detail, this.#width)})`}`,
        sums.join(', '),
      ]);
    },

    'session.aborted': ({ detail, unfinished }, timeMs) => {
      this.#ended = true;
      return this.#line(timeMs, 'aborted', this.#paint.red, [
        `the edge died; whoever came after it closed the record${detail === undefined ? '' : ` (${cut(detail, this.#width)})`}`,
        ...(unfinished.length === 0 ? [] : [`how ${unfinished.map((n) => `#${n}`).join(', ')} ended is not known`]),
      ]);
    },
  };

  #verdictPaint(decision: string): Mark {
    return decision === 'allow' ? this.#paint.green : decision === 'hold' ? this.#paint.yellow : this.#paint.red;
  }

  #line(timeMs: number | undefined, what: string, mark: Mark, texts: readonly string[]): string {
    const prefix = this.#session === undefined ? '' : `${this.#paint.dim(this.#session.slice(-SESSION_CHARS).padEnd(SESSION_CHARS))}  `;
    const time = this.#paint.dim(this.#time(timeMs).padStart(TIME_CHARS));
    const [first = '', ...rest] = texts;
    const indent = ' '.repeat((this.#session === undefined ? 0 : SESSION_CHARS + 2) + TIME_CHARS + 2 + WHAT_CHARS + 2);
    return [`${prefix}${time}  ${mark(what.padEnd(WHAT_CHARS))}  ${first}`.trimEnd(), ...rest.map((text) => `${indent}${text}`)]
      .map((line) => `${line}\n`)
      .join('');
  }

  #time(timeMs: number | undefined): string {
    if (timeMs === undefined || Number.isNaN(timeMs)) return '?';
    if (this.#session !== undefined) return new Date(timeMs).toISOString().slice(11, 19);
    const ms = timeMs - (this.#startMs ?? timeMs);
    const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
    const seconds = ((ms % 60_000) / 1000).toFixed(3);
    if (hours > 0) return `${hours}:${String(minutes).padStart(2, '0')}:${seconds.padStart(6, '0').slice(0, 2)}`;
    return minutes > 0 ? `${minutes}:${seconds.padStart(6, '0')}` : seconds;
  }
}

const WHY: Readonly<Partial<Record<string, string>>> = {
  client: 'the client ended it',
  target: 'the target ended it',
  revoked: 'revoked',
  expired: 'its token, approval or credential ended',
  shutdown: 'the edge was shut down',
  limit: 'a limit was reached',
  record: 'the record could not be written',
  error: 'a fault of the edge',
  refused: 'refused before it began',
};
