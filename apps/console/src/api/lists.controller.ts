import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { demand } from '../access.js';
import { CallerOf } from '../http/authenticate.js';
import { body, id, oneOf, page, text } from '../http/parameters.js';
import { ProblemError } from '../http/problem.js';
import type { Caller } from '../http/request.js';
import { REASON_MAX_CHARS } from '../limits.js';
import { revokePrincipal } from '../revoke.js';
import { type ConsoleServices, SERVICES } from '../services.js';
import type { Page } from '../store.port.js';
import { leaseView, principalView, runView } from '../views.js';
import { defined } from './defined.js';

type Query_ = Readonly<Record<string, unknown>>;

const LEASE_STATES = ['issued', 'failed', 'dropped', 'swept'] as const;
const ISSUER_MAX_CHARS = 2048;

/** Leases, principals, runs, resources and the policy: all there is or nothing, so no row is asked about by itself. */
@Controller('api/v1')
export class ListsController {
  constructor(@Inject(SERVICES) private readonly services: ConsoleServices) {}

  @Get('leases')
  async leases(@CallerOf() caller: Caller, @Query() query: Query_) {
    this.#all(caller, 'leases.read');
    const filter = defined({
      state: oneOf(query, 'state', LEASE_STATES),
      session: text(query, 'session'),
      resource: text(query, 'resource'),
    });
    return listed(await this.services.store.leases({ ...filter, ...page(query, this.services.limits) }), leaseView);
  }

  @Get('principals')
  async principals(@CallerOf() caller: Caller, @Query() query: Query_) {
    this.#all(caller, 'principals.read');
    const filter = defined({ subject: text(query, 'principal') });
    return listed(await this.services.store.principals({ ...filter, ...page(query, this.services.limits) }), principalView);
  }

  @Post('principals/:subject/revoke')
  @HttpCode(202)
  async revoke(@CallerOf() caller: Caller, @Param('subject') subject: string, @Body() given: unknown) {
    const { reason = '', issuer } = body(given, { reason: REASON_MAX_CHARS, issuer: ISSUER_MAX_CHARS });
    this.#all(caller, 'principals.revoke');
    const target = { subject: id(subject, 'principal'), ...(issuer === undefined ? {} : { issuer }) };
    const { rows } = await this.services.store.sessions({
      ...defined({ principal: target.subject, issuer }),
      state: 'open',
      limit: this.services.limits.pageMaxRows,
    });
    const revocation = await revokePrincipal(this.services, caller.principal, target, reason);
    return { principal: subject, issuer: issuer ?? null, requested: true, open: rows.length, revocation };
  }

  @Get('runs')
  async runs(@CallerOf() caller: Caller, @Query() query: Query_) {
    this.#all(caller, 'sessions.read');
    return listed(await this.services.store.runs(page(query, this.services.limits)), runView);
  }

  @Get('runs/:id')
  async run(@CallerOf() caller: Caller, @Param('id') run: string) {
    this.#all(caller, 'sessions.read');
    const row = await this.services.store.run(id(run, 'run'));
    if (!row) throw new ProblemError('NOT_FOUND', 'there is no such run');
    return runView(row);
  }

  /** Names, kinds and labels: what everybody who may look at policy needs to write a grant. */
  @Get('resources')
  resources(@CallerOf() caller: Caller) {
    this.#all(caller, 'policy.read');
    return { items: this.services.resources, next: null };
  }

  @Get('policy')
  policy(@CallerOf() caller: Caller) {
    this.#all(caller, 'policy.read');
    return this.services.policy();
  }

  #all(caller: Caller, action: Parameters<typeof demand>[2]): void {
    if (demand(this.services.engine, caller, action) !== 'all')
      throw new ProblemError('FORBIDDEN', 'this list tells of others too: it needs a role in the console (roles in grants.yaml)');
  }
}

function listed<Row, View>(
  { rows, next }: Page<Row>,
  view: (row: Row) => View,
): { readonly items: readonly View[]; readonly next: string | null } {
  return { items: rows.map(view), next };
}
