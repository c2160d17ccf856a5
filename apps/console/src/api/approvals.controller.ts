import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { HoldRow } from '@sallyport/projections';
import { demand, demandRow, visible } from '../access.js';
import type { HoldAnswer } from '../answer.port.js';
import { CallerOf } from '../http/authenticate.js';
import { body, id, oneOf, page, text } from '../http/parameters.js';
import { type ProblemCode, ProblemError } from '../http/problem.js';
import type { Caller } from '../http/request.js';
import { COMMENT_MAX_CHARS } from '../limits.js';
import { type ConsoleServices, SERVICES } from '../services.js';
import { approvalView } from '../views.js';
import { defined } from './defined.js';

const STATES = ['waiting', 'granted', 'denied', 'expired', 'cancelled'] as const;
const NOBODY = { subject: '', issuer: '' };
const theirs = ({ requester, groups }: HoldRow) => ({ principal: requester ?? NOBODY, groups });

const REFUSALS: Readonly<Record<string, ProblemCode>> = {
  TOKEN: 'UNAUTHENTICATED',
  NO_SUCH_HOLD: 'CONFLICT',
  NOT_ALLOWED: 'FORBIDDEN',
  GIVEN_ALREADY: 'CONFLICT',
};

@Controller('api/v1/approvals')
export class ApprovalsController {
  constructor(@Inject(SERVICES) private readonly services: ConsoleServices) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query() query: Readonly<Record<string, unknown>>) {
    const { engine, store, limits, nowMs } = this.services;
    const state = oneOf(query, 'state', STATES);
    const session = text(query, 'session');
    // The rows look at no clock: what has expired unanswered stands among those that wait.
    const stored = state === 'expired' ? undefined : state;
    const asked = page(query, limits);
    const { rows, next } = await visible({
      engine,
      caller,
      action: 'approvals.read',
      page: asked,
      scanMaxRows: limits.pageScanMaxRows,
      read: (of) => store.holds({ ...defined({ state: stored, session }), ...of }),
      targetOf: theirs,
    });
    const items = rows.map((row) => approvalView(row, nowMs()));
    return { items: state === undefined ? items : items.filter((item) => item.state === state), next };
  }

  @Get(':id')
  async show(@CallerOf() caller: Caller, @Param('id') hold: string) {
    return approvalView(await this.#readable(caller, hold), this.services.nowMs());
  }

  @Post(':id/grant')
  @HttpCode(200)
  grant(@CallerOf() caller: Caller, @Param('id') hold: string, @Body() given: unknown) {
    return this.#answer(caller, hold, 'grant', given);
  }

  @Post(':id/deny')
  @HttpCode(200)
  deny(@CallerOf() caller: Caller, @Param('id') hold: string, @Body() given: unknown) {
    return this.#answer(caller, hold, 'deny', given);
  }

  async #readable(caller: Caller, hold: string): Promise<HoldRow> {
    const row = await this.services.store.hold(id(hold, 'approval'));
    return demandRow(this.services.engine, caller, 'approvals.read', row, theirs, 'approval');
  }

  async #answer(caller: Caller, hold: string, answer: HoldAnswer['answer'], given: unknown) {
    const { comment } = body(given, { comment: COMMENT_MAX_CHARS });
    const row = await this.#readable(caller, hold);
    demand(this.services.engine, caller, 'approvals.decide', theirs(row));
    // Who may approve is judged there once more, from the token: the console's word isn't enough.
    const answered = await this.services.answer({
      hold: row.id,
      session: row.session,
      hash: row.hash,
      answer,
      token: caller.token,
      ...(comment === undefined ? {} : { comment }),
    });
    if (!answered.ok) throw new ProblemError(REFUSALS[answered.code] ?? 'FORBIDDEN', answered.message);
    const { by, given: count, needed } = answered;
    return { id: answered.hold, answer, by, given: count, needed };
  }
}
