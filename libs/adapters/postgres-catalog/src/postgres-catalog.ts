import type { ClientConfig } from 'pg';

import type {
  Analysed,
  AnalyseRequest,
  ColumnName,
  ColumnPlace,
  FunctionFacts,
  LocatedColumn,
  MaskCatalog,
  RelationFacts,
} from '@sallyport/masking';

import { probe } from './probe.js';
import { DEPENDENTS, FINGERPRINT, FUNCTIONS, OPERATORS, PLACES, RELATIONS, TABLE } from './queries.js';
import { SideConnection } from './side-connection.js';

export interface CatalogLimits {
  /** How long the catalog is trusted without a look. DDL of other sessions is noticed at the latest after this. */
  readonly maxAgeMs: number;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
  readonly maxPending: number;
  /** Relations, functions and operators remembered; past it all are forgotten. */
  readonly maxEntries: number;
}

export const CATALOG_LIMITS: CatalogLimits = {
  maxAgeMs: 2000,
  connectTimeoutMs: 5000,
  queryTimeoutMs: 5000,
  maxPending: 64,
  maxEntries: 10_000,
};

export interface PostgresMaskCatalogOptions {
  /** The session's own leased role on the session's own database. */
  readonly client: ClientConfig;
  readonly limits?: Partial<CatalogLimits>;
  /** Milliseconds that only grow. */
  readonly nowMs?: () => number;
}

/** MaskCatalog over a side connection to the target. One per session; `close` it with the session. */
export class PostgresMaskCatalog implements MaskCatalog {
  private readonly limits: CatalogLimits;
  private readonly side: SideConnection;
  private readonly nowMs: () => number;
  private readonly typeNames = new Map<number, string>();
  private readonly known = {
    relations: new Map<number, RelationFacts>(),
    functions: new Map<number, FunctionFacts>(),
    operators: new Map<number, number>(),
  };
  private count = 0;
  private fingerprint: string | undefined;
  private lookedAtMs: number | undefined;

  constructor(options: PostgresMaskCatalogOptions) {
    this.limits = { ...CATALOG_LIMITS, ...options.limits };
    this.nowMs = options.nowMs ?? (() => performance.now());
    const { connectTimeoutMs, queryTimeoutMs, maxPending } = this.limits;
    this.side = new SideConnection({ client: options.client, connectTimeoutMs, queryTimeoutMs, maxPending });
  }

  get generation(): number {
    return this.count;
  }

  get fresh(): boolean {
    return this.lookedAtMs !== undefined && this.nowMs() - this.lookedAtMs < this.limits.maxAgeMs;
  }

  async refresh(): Promise<void> {
    const askedAtMs = this.nowMs();
    const before = this.count;
    const [row] = await this.ask<{ fingerprint: string }>(FINGERPRINT, []);
    if (row?.fingerprint !== this.fingerprint) this.invalidate();
    // Somebody invalidated while we asked: this answer may be from before.
    else if (this.count !== before) return;
    this.fingerprint = row?.fingerprint;
    this.lookedAtMs = askedAtMs;
  }

  invalidate(): void {
    this.count++;
    this.lookedAtMs = undefined;
    for (const map of Object.values(this.known)) map.clear();
    this.typeNames.clear();
  }

  async locate(columns: readonly ColumnName[]): Promise<readonly LocatedColumn[]> {
    const located: LocatedColumn[] = [];
    for (const { schema, table, column } of columns) {
      const [found] = await this.ask<{ oid: string }>(TABLE, [schema, table]);
      const rows = found ? await this.ask<ColumnPlace & { table: string }>(PLACES, [found.oid, column]) : [];
      const places = rows.map((row) => ({ ...row, table: Number(row.table) }));
      if (!found || !places.some((place) => place.table === Number(found.oid))) {
        located.push({ found: false, missing: found ? 'column' : 'table' });
        continue;
      }
      const dependents = await this.ask<{ name: string }>(DEPENDENTS, [places.map((place) => place.table)]);
      located.push({ found: true, places, dependents: dependents.map((row) => row.name) });
    }
    return located;
  }

  async analyse(request: AnalyseRequest): Promise<Analysed> {
    return this.side.exclusively((client) => probe(client, request, this.typeNames, this.limits.queryTimeoutMs));
  }

  async relations(oids: readonly number[]): Promise<ReadonlyMap<number, RelationFacts>> {
    return this.remembered(this.known.relations, oids, async (missing) => {
      const rows = await this.ask<RelationFacts & { oid: string }>(RELATIONS, [missing]);
      return rows.map((row) => [Number(row.oid), { ...row, oid: Number(row.oid) }]);
    });
  }

  async functions(oids: readonly number[]): Promise<ReadonlyMap<number, FunctionFacts>> {
    return this.remembered(this.known.functions, oids, async (missing) => {
      const rows = await this.ask<FunctionFacts & { oid: string }>(FUNCTIONS, [missing]);
      return rows.map((row) => [Number(row.oid), { ...row, oid: Number(row.oid) }]);
    });
  }

  async operators(oids: readonly number[]): Promise<ReadonlyMap<number, number>> {
    return this.remembered(this.known.operators, oids, async (missing) => {
      const rows = await this.ask<{ oid: string; function: string }>(OPERATORS, [missing]);
      return rows.map((row) => [Number(row.oid), Number(row.function)]);
    });
  }

  /** Ends the side connection. Later questions are answered with MASK_CATALOG_AWAY. */
  async close(): Promise<void> {
    await this.side.close();
  }

  private async remembered<Facts>(
    map: Map<number, Facts>,
    oids: readonly number[],
    load: (missing: readonly number[]) => Promise<[number, Facts][]>,
  ): Promise<ReadonlyMap<number, Facts>> {
    const answer = new Map<number, Facts>();
    const missing: number[] = [];
    for (const oid of oids) {
      const facts = map.get(oid);
      if (facts === undefined) missing.push(oid);
      else answer.set(oid, facts);
    }
    if (missing.length === 0) return answer;
    const generation = this.count;
    const loaded = await load(missing);
    if (map.size + loaded.length > this.limits.maxEntries) map.clear();
    for (const [oid, facts] of loaded) {
      answer.set(oid, facts);
      if (generation === this.count && map.size < this.limits.maxEntries) map.set(oid, facts);
    }
    return answer;
  }

  private async ask<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return this.side.exclusively(async (client) => (await client.query(text, [...values])).rows as Row[]);
  }
}
