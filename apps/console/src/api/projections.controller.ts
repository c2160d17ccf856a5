import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { demand } from '../access.js';
import { CallerOf } from '../http/authenticate.js';
import { ProblemError } from '../http/problem.js';
import type { Caller } from '../http/request.js';
import type { ProjectionsPort } from '../projections.port.js';
import { type ConsoleServices, SERVICES } from '../services.js';

export interface RebuildState {
  readonly state: 'running' | 'done' | 'failed';
  readonly started: string;
  readonly ended: string | null;
  /** Why it failed, as a code. */
  readonly failure: string | null;
}

@Controller('api/v1/projections')
export class ProjectionsController {
  #rebuild: RebuildState | null = null;

  constructor(@Inject(SERVICES) private readonly services: ConsoleServices) {}

  @Get()
  async status(@CallerOf() caller: Caller) {
    if (demand(this.services.engine, caller, 'policy.read') !== 'all')
      throw new ProblemError('FORBIDDEN', 'this needs a role in the console');
    const { topics, checkpoints, rebuilding, notReady } = await this.#port().status();
    return {
      topics: topics.map(({ topic, partition, next, end, lag }) => ({
        topic,
        partition,
        next: Number(next),
        end: Number(end),
        lag: Number(lag),
      })),
      checkpoints,
      rebuilding: rebuilding || this.#rebuild?.state === 'running',
      rebuild: this.#rebuild,
      notReady,
    };
  }

  /** P7: begins it, and answers at once; the status tells how it goes. For operators: it costs as much as the log is long. */
  @Post('rebuild')
  @HttpCode(202)
  rebuild(@CallerOf() caller: Caller): RebuildState {
    demand(this.services.engine, caller, 'principals.revoke');
    if (this.#rebuild?.state === 'running') throw new ProblemError('CONFLICT', 'a rebuild is under way');
    const started = new Date(this.services.nowMs()).toISOString();
    const ended = (state: 'done' | 'failed', failure: string | null): void => {
      this.#rebuild = { state, started, ended: new Date(this.services.nowMs()).toISOString(), failure };
    };
    this.#rebuild = { state: 'running', started, ended: null, failure: null };
    this.#port()
      .rebuild()
      .then(
        () => ended('done', null),
        (error: unknown) => ended('failed', failureOf(error)),
      );
    return this.#rebuild;
  }

  #port(): ProjectionsPort {
    const { projections } = this.services;
    if (!projections) throw new ProblemError('NOT_FOUND', 'the projector can not be asked from here');
    return projections;
  }
}

/** A code, or what an error that came from another thread has left of one. */
function failureOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string') return code;
  return typeof message === 'string' ? message.slice(0, 200) : 'UNKNOWN';
}
