/** One place where a rule's values are stored: the table that the rule names, or a partition, child or parent of it. */
export interface ColumnPlace {
  readonly table: number;
  readonly attribute: number;
  readonly schema: string;
  readonly name: string;
  /** A generated column that is computed from the masked one. */
  readonly derived: boolean;
}

export type LocatedColumn =
  | {
      readonly found: true;
      readonly places: readonly ColumnPlace[];
      /** Names of views built, at any depth, on these tables. */ readonly dependents: readonly string[];
    }
  | { readonly found: false; readonly missing: 'table' | 'column' };

export interface ColumnName {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

export interface RelationFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** `pg_class.relkind`: r, p, v, m, f, S, t, … */
  readonly kind: string;
  /** The analysed definition of a view or materialized view (`pg_rewrite.ev_action`), else null. */
  readonly definition: string | null;
  /** Rewrite rules other than a view's own: they can make a statement return or do something else. */
  readonly hasRules: boolean;
}

export interface FunctionFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly language: string;
  /** `pg_proc.provolatile`: i, s, v. */
  readonly volatility: string;
  /** `pg_proc.prokind`: f, p, a, w. */
  readonly kind: string;
}

export interface AnalyseRequest {
  /** One statement in pieces: text, and the number of each parameter where it stands. */
  readonly pieces: readonly (string | number)[];
  /** Type OIDs as the client declared them, 0 where it left that to the server. As long as the highest parameter number. */
  readonly parameterTypes: readonly number[];
  /** The parenthesised type list of an SQL `PREPARE`, as written; then `parameterTypes` is not looked at. */
  readonly declaredTypes?: string;
  /** As `SHOW search_path` prints it in the session. */
  readonly searchPath: string;
  readonly returnsRows: boolean;
}

/** `tree` is `pg_node_tree` text. A statement that the server itself would refuse comes back with its SQLSTATE. */
export type Analysed =
  | { readonly ok: true; readonly tree: string }
  | {
      readonly ok: false;
      readonly sqlstate: string;
      /** Names only, no literals; empty when that isn't certain. */ readonly message: string;
    };

/**
 * What masking asks of the target's catalog. An adapter asks on a connection of its own, signed in with the session's
 * own role, never with an administrator's. Every method rejects with MaskingError MASK_CATALOG_AWAY when the target doesn't answer.
 */
export interface MaskCatalog {
  /** Counts up whenever something that plans rest on may have changed. A plan is good for its generation only. */
  readonly generation: number;
  /** True while the catalog was looked at recently enough (the adapter's `maxAgeMs`). */
  readonly fresh: boolean;
  /** Looks at the catalog again and counts the generation up if it changed. */
  refresh(): Promise<void>;
  /** Call it when the session ran DDL or ended a transaction with DDL in it. */
  invalidate(): void;
  locate(columns: readonly ColumnName[]): Promise<readonly LocatedColumn[]>;
  /** The server's own analysis of a SELECT, INSERT, UPDATE, DELETE or MERGE. Nothing is run. */
  analyse(request: AnalyseRequest): Promise<Analysed>;
  relations(oids: readonly number[]): Promise<ReadonlyMap<number, RelationFacts>>;
  functions(oids: readonly number[]): Promise<ReadonlyMap<number, FunctionFacts>>;
  /** Operator OID → OID of the function behind it. */
  operators(oids: readonly number[]): Promise<ReadonlyMap<number, number>>;
}
