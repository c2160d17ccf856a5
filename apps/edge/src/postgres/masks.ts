import { type CatalogLimits, PostgresMaskCatalog } from '@sallyport/adapter-postgres-catalog';
import type { UpstreamTarget } from '@sallyport/adapter-postgres-upstream';
import {
  MASK_HINT,
  MaskingError,
  type MaskLimits,
  MaskPlanner,
  type NamedStatement,
  type StringPlan,
  UNMASKED,
  type ValueSettings,
} from '@sallyport/masking';
import { parseSql, type ParseLimits, type PostgresOperation, UnparseableSqlError } from '@sallyport/operation';
import type { Planned, Refusal } from '@sallyport/session';
import type { MaskRule, Verdict } from '@sallyport/verdict';
import type { ClientConfig } from 'pg';
import { MaskHistory } from './mask-history.js';
import type { MaskConnection } from './open.js';
import type { SessionMasks } from './relay-host.js';
import type { Asked } from './statements.js';

export interface MasksOptions {
  readonly connection: MaskConnection;
  readonly database: string;
  readonly parseLimits: ParseLimits;
  readonly planLimits: MaskLimits;
  readonly catalogLimits: CatalogLimits;
  /** Per installation: hashed values join within it. */
  readonly hashKey: Uint8Array;
  /** What the protocol knows by a name that SQL can use too. */
  readonly lookup: (kind: 'prepared' | 'cursor', name: string) => readonly NamedStatement[];
  /** Whether nothing is under way at the target, and how to wait for it. Undefined: it will not come by itself. */
  readonly settled: () => Promise<void> | undefined;
  /** The session has seen what is masked from here on: it must end. */
  readonly outlived: () => void;
}

/** The masks of one Postgres session: plans from the target's own analysis, asked on a side connection of the session's own role. */
export class PostgresMasks implements SessionMasks {
  #catalog: PostgresMaskCatalog | undefined;
  #planner: MaskPlanner | undefined;
  /** As the target reported it last (PostgreSQL 18 does); undefined when it isn't known. */
  #searchPath: string | undefined;
  /** Something is under way that may change what names mean. */
  #unsettled = false;
  /** The session has run what may change the catalog, in this transaction at the latest. */
  #reshaped = false;
  #clientEncoding = 'UTF8';
  readonly #history = new MaskHistory();

  constructor(private readonly options: MasksOptions) {}

  get values(): ValueSettings {
    return { hashKey: this.options.hashKey, clientEncoding: this.#clientEncoding };
  }

  get active(): boolean {
    return this.#planner !== undefined;
  }

  plan(asked: Asked, verdict: Verdict): Planned<StringPlan> | Promise<Planned<StringPlan>> {
    if (!this.#history.covers(verdict)) {
      this.options.outlived();
      return refused(verdict.masks, 'was not when this session began', 'connect again');
    }
    if (verdict.masks.length === 0) return { plan: UNMASKED };
    if (asked.ambiguous)
      return refused(verdict.masks, 'the prepared name may stand for more than one statement', 'use names that are not taken');
    return this.#planned(asked, verdict.masks);
  }

  async #planned(asked: Asked, masks: readonly MaskRule[]): Promise<Planned<StringPlan>> {
    if (this.#unsettled) {
      const settled = this.options.settled();
      if (!settled) return refused(masks, 'an earlier message may change what its names mean', 'send it after a Sync');
      await settled;
    }
    const searchPath = this.#searchPath;
    if (searchPath === undefined)
      return refused(
        masks,
        'this server does not report its search_path',
        'ask the operator: masks need PostgreSQL 18 or later at the target',
      );
    try {
      const sql = parseSql(asked.text, this.options.parseLimits);
      const request = { sql, masks, searchPath, parameterTypes: asked.parameterTypes };
      const planner = (this.#planner ??= this.#open());
      const plan = planner.cached(request) ?? (await planner.plan(request));
      if (!plan.refused) return { plan };
      return {
        refusal: {
          kind: 'mask',
          message: plan.refused.reason,
          rules: [{ path: 'sallyport.masking', title: plan.refused.column }],
          hint: plan.refused.hint,
        },
      };
    } catch (error) {
      if (error instanceof UnparseableSqlError) return refused(masks, 'the statement can not be read', MASK_HINT);
      if (error instanceof MaskingError) return refused(masks, 'the target’s catalog can not be asked right now', 'try again in a moment');
      throw error;
    }
  }

  changed(operation: PostgresOperation): void {
    if (operation.classes.every((name) => SETTLED_CLASSES.has(name))) return;
    this.#unsettled = true;
    if (operation.classes.some((name) => !name.startsWith('postgres.session.') && !name.startsWith('postgres.write.')))
      this.#reshaped = true;
  }

  settled(status: 'I' | 'T' | 'E'): void {
    this.#unsettled = false;
    // What a transaction changed is seen from the side only once it is over.
    if (this.#reshaped) this.#catalog?.invalidate();
    if (status === 'I') this.#reshaped = false;
  }

  parameterStatus(name: string, value: string): void {
    if (name === 'search_path') this.#searchPath = value;
    if (name === 'client_encoding') this.#clientEncoding = value;
  }

  close(): void {
    void this.#catalog?.close();
  }

  #open(): MaskPlanner {
    const { connection, database, lookup } = this.options;
    this.#catalog = new PostgresMaskCatalog({ client: clientOf(connection, database), limits: this.options.catalogLimits });
    return new MaskPlanner({ catalog: this.#catalog, lookup, limits: this.options.planLimits });
  }
}

/** What can't change the meaning of a name for the statement behind it. */
const SETTLED_CLASSES: ReadonlySet<string> = new Set([
  'postgres.read',
  'postgres.session.begin',
  'postgres.session.empty',
  'postgres.session.show',
]);

function refused(masks: readonly MaskRule[], reason: string, hint: string): { readonly refusal: Refusal } {
  const column = masks[0]?.column ?? '';
  return {
    refusal: {
      kind: 'mask',
      message: `${column} is masked for you, and ${reason}.`,
      rules: [{ path: 'sallyport.masking', title: column }],
      hint,
    },
  };
}

function clientOf({ target, user, password }: MaskConnection, database: string): ClientConfig {
  const address =
    'path' in target ? { host: target.path.slice(0, target.path.lastIndexOf('/')) } : { host: target.host, port: target.port };
  return { ...address, user, password, database, ...tlsOf(target) };
}

function tlsOf({ tls, ca, servername }: UpstreamTarget): Pick<ClientConfig, 'ssl'> {
  if (tls === 'disable') return { ssl: false };
  return {
    ssl: {
      rejectUnauthorized: tls !== 'require',
      ...(ca === undefined ? {} : { ca }),
      ...(servername === undefined ? {} : { servername }),
      ...(tls === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
    },
  };
}
