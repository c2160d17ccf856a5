import { randomUUID } from 'node:crypto';
import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { demand } from '../access.js';
import { CallerOf } from '../http/authenticate.js';
import { ProblemError } from '../http/problem.js';
import type { Caller } from '../http/request.js';
import type { ProjectionsPort, RebuildState } from '../projections.port.js';
import { type ConsoleServices, SERVICES } from '../services.js';

@Controller('api/v1/projections')
export class ProjectionsController {
  constructor(@Inject(SERVICES) private readonly services: ConsoleServices) {}

  @Get()
  async status(@CallerOf() caller: Caller) {
    if (demand(this.services.engine, caller, 'policy.read') !== 'all')
      throw new ProblemError('FORBIDDEN', 'this needs a role in the console');
    const { topics, checkpoints, rebuilding, rebuild, notReady } = await asked(this.#port().status());
    return {
      topics: topics.map(({ topic, partition, next, end, lag }) => ({
        topic,
        partition,
        next: Number(next),
        end: Number(end),
        lag: Number(lag),
      })),
      checkpoints,
      rebuilding,
      rebuild,
      notReady,
    };
  }

  /** P7: begins it, and answers at once; the status tells how it goes. For operators: it costs as much as the log is long. */
  @Post('rebuild')
  @HttpCode(202)
  async rebuild(@CallerOf() caller: Caller): Promise<RebuildState> {
    demand(this.services.engine, caller, 'principals.revoke');
    const id = randomUUID();
    const begun = await asked(this.#port().rebuild(id));
    if (begun.id !== id) throw new ProblemError('CONFLICT', 'a rebuild is under way');
    return begun;
  }

  #port(): ProjectionsPort {
    const { projections } = this.services;
    if (!projections) throw new ProblemError('NOT_FOUND', 'the projector can not be asked from here');
    return projections;
  }
}

/** A projector that doesn't answer, or can't do it now, is told by its code. */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code } = (error ?? {}) as { readonly code?: unknown };
    if (typeof code !== 'string') throw error;
    throw new ProblemError('NOT_READY', `the projector can not do that now: ${code}`);
  }
}
