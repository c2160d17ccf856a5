import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { demand, demandRow } from '../access.js';
import { CallerOf } from '../http/authenticate.js';
import { text } from '../http/parameters.js';
import { ProblemError } from '../http/problem.js';
import type { Caller, Response } from '../http/request.js';
import { LiveStreams } from '../live/streams.js';
import { type ConsoleServices, SERVICES } from '../services.js';

@Controller('api/v1/events')
export class EventsController {
  constructor(
    @Inject(SERVICES) private readonly services: ConsoleServices,
    @Inject(LiveStreams) private readonly streams: LiveStreams,
  ) {}

  /** `?follow`: server-sent events, from now on; `&session=ID` of one session. Who sees only their own has to name it. */
  @Get()
  async follow(
    @CallerOf() { principal, token }: Caller,
    @Query() query: Readonly<Record<string, unknown>>,
    @Res() response: Response,
  ): Promise<void> {
    if (query['follow'] === undefined) throw new ProblemError('BAD_REQUEST', 'ask with ?follow; what was before is at sessions/ID/events');
    const { engine, store, nowMs } = this.services;
    const caller = { principal, token };
    const session = text(query, 'session');
    if (session === undefined) {
      if (demand(engine, caller, 'sessions.read') !== 'all')
        throw new ProblemError('FORBIDDEN', 'you may follow your own sessions: name one with session=ID');
    } else {
      demandRow(
        engine,
        caller,
        'sessions.read',
        await store.session(session),
        (row) => ({ principal: { subject: row.subject, issuer: row.issuer } }),
        'session',
      );
    }
    this.streams.start({ response, principal, session, nowMs: nowMs() });
  }
}
