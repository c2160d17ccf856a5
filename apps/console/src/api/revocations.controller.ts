import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import type { RevocationRow } from '@sallyport/projections';
import { demand } from '../access.js';
import { CallerOf } from '../http/authenticate.js';
import { id, oneOf, page, text } from '../http/parameters.js';
import { ProblemError } from '../http/problem.js';
import type { Caller } from '../http/request.js';
import { type RevocationView, revocationView } from '../revocation-view.js';
import { type ConsoleServices, SERVICES } from '../services.js';
import { defined } from './defined.js';

const KINDS = ['principal', 'session'] as const;

/** Who was revoked, and which edges have confirmed that nothing of theirs goes on (P10). */
@Controller('api/v1/revocations')
export class RevocationsController {
  constructor(@Inject(SERVICES) private readonly services: ConsoleServices) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query() query: Readonly<Record<string, unknown>>) {
    this.#all(caller);
    const { store, limits } = this.services;
    const filter = defined({ kind: oneOf(query, 'kind', KINDS), principal: text(query, 'principal'), session: text(query, 'session') });
    const { rows, next } = await store.revocations({ ...filter, ...page(query, limits) });
    return { items: await this.#views(rows), next };
  }

  @Get(':id')
  async show(@CallerOf() caller: Caller, @Param('id') revocation: string): Promise<RevocationView> {
    this.#all(caller);
    const row = await this.services.store.revocation(id(revocation, 'revocation'));
    const [view] = row ? await this.#views([row]) : [];
    if (!view) throw new ProblemError('NOT_FOUND', 'there is no such revocation, or the read model has not got to it yet');
    return view;
  }

  async #views(rows: readonly RevocationRow[]): Promise<readonly RevocationView[]> {
    const { store, announced } = this.services;
    const acknowledgements = await store.acknowledgements(rows.map((row) => row.id));
    const edges = announced.ofRole('edge').map(({ name }) => name);
    return rows.map((row) => revocationView(row, acknowledgements, edges));
  }

  #all(caller: Caller): void {
    if (demand(this.services.engine, caller, 'principals.read') !== 'all')
      throw new ProblemError('FORBIDDEN', 'this list tells of others too: it needs a role in the console (roles in grants.yaml)');
  }
}
