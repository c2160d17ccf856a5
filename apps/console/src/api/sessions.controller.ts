import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { SessionRow } from '@sallyport/projections';
import { demand, demandRow, visible } from '../access.js';
import { CallerOf } from '../http/authenticate.js';
import { body, id, oneOf, page, text, time } from '../http/parameters.js';
import { ProblemError } from '../http/problem.js';
import type { Caller } from '../http/request.js';
import { REASON_MAX_CHARS } from '../limits.js';
import { revokeSession } from '../revoke.js';
import { type ConsoleServices, SERVICES } from '../services.js';
import type { SessionFilter } from '../store.port.js';
import { eventView, type SessionView, sessionView } from '../views.js';
import { defined } from './defined.js';

const STATES = ['open', 'closed', 'aborted'] as const;
const theirs = ({ subject, issuer }: SessionRow) => ({ principal: { subject, issuer } });

@Controller('api/v1/sessions')
export class SessionsController {
  constructor(@Inject(SERVICES) private readonly services: ConsoleServices) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query() query: Readonly<Record<string, unknown>>) {
    const { engine, store, limits } = this.services;
    const filter: SessionFilter = defined({
      state: oneOf(query, 'state', STATES),
      principal: text(query, 'principal'),
      issuer: text(query, 'issuer'),
      resource: text(query, 'resource'),
      run: text(query, 'run'),
      since: time(query, 'since'),
      until: time(query, 'until'),
    });
    // What isn't theirs is filtered anyway; naming them spares reading it.
    const own =
      demand(engine, caller, 'sessions.read') === 'own' ? { principal: caller.principal.subject, issuer: caller.principal.issuer } : {};
    if (filter.principal !== undefined && own.principal !== undefined && filter.principal !== own.principal)
      return { items: [], next: null };
    const { rows, next } = await visible({
      engine,
      caller,
      action: 'sessions.read',
      page: page(query, limits),
      scanMaxRows: limits.pageScanMaxRows,
      read: (asked) => store.sessions({ ...filter, ...own, ...asked }),
      targetOf: theirs,
    });
    return { items: rows.map(sessionView), next };
  }

  @Get(':id')
  async show(@CallerOf() caller: Caller, @Param('id') session: string): Promise<SessionView> {
    return sessionView(await this.#readable(caller, session));
  }

  @Get(':id/events')
  async events(@CallerOf() caller: Caller, @Param('id') session: string, @Query() query: Readonly<Record<string, unknown>>) {
    const row = await this.#readable(caller, session);
    const { limit, cursor } = page(query, this.services.limits);
    const after = cursor === undefined ? -1 : Number(cursor);
    if (!Number.isInteger(after)) throw new ProblemError('BAD_REQUEST', 'cursor: expected what was `next` of the page before');
    const events = await this.services.store.events(row.id, { after, limit });
    const last = events.at(-1)?.sequence;
    return { items: events.map(eventView), next: last === undefined || last >= row.sequence ? null : String(last) };
  }

  /** Evidence (docs: Interface, Evidence): the four files of an export, as texts. */
  @Get(':id/export')
  async export(@CallerOf() caller: Caller, @Param('id') session: string) {
    const row = await this.#readable(caller, session);
    const evidence = await this.services.exporter.export(row.id);
    return { ...evidence, 'events.jsonl': evidence['events.jsonl'].toString() };
  }

  /** Asks every edge to end it. Answers when the request is on the record; the session's state tells when it is done. */
  @Post(':id/revoke')
  @HttpCode(202)
  async revoke(@CallerOf() caller: Caller, @Param('id') session: string, @Body() given: unknown) {
    const { reason = '' } = body(given, { reason: REASON_MAX_CHARS });
    const row = await this.#readable(caller, session);
    demand(this.services.engine, caller, 'sessions.revoke', theirs(row));
    const revocation = await revokeSession(this.services, caller.principal, row, reason);
    return { session: row.id, state: row.state, requested: true, revocation };
  }

  async #readable(caller: Caller, session: string): Promise<SessionRow> {
    const row = await this.services.store.session(id(session, 'session'));
    return demandRow(this.services.engine, caller, 'sessions.read', row, theirs, 'session');
  }
}
