/**
 * An operation is one thing asked inside a session, in terms that policy can judge. It is built from what the agent
 * sent and from nothing else, so that the same bytes always give the same operation.
 */
export type Operation = PostgresOperation;

/**
 * One SQL string (simple query) or one prepared statement (extended query).
 * `class` is the most demanding class of its statements; `classes` has every one that
 * was found anywhere in them (a CTE, a function call, ON CONFLICT), sorted, without doubles: a policy that allows must allow all of these.
 */
export interface PostgresOperation {
  readonly kind: 'postgres';
  readonly class: string;
  readonly classes: readonly string[];
  /** False when the parser can't read it: then `statements` is empty and `class` is `postgres.unparseable`. */
  readonly parseable: boolean;
  /** Equal for statements that differ in literals only; facts may differ within one, so no key for verdicts. Empty when unparseable. */
  readonly fingerprint: string;
  /** The statement with its literals replaced by $n and without its comments: safe to record. Empty when unparseable. */
  readonly normalized: string;
  readonly statements: readonly SqlStatement[];
  /** Why it is unparseable, `code: reason`, without quoting the statement. */
  readonly problem?: string;
}

/** What one SQL statement does, reduced from the real parser's tree. Names are as written: unquoted ones in lower case. */
export interface SqlStatement {
  /** `select`, `insert`, `update`, `delete`, `merge`, `copy`, `create_table`, `begin`, `set`, … lower snake case. */
  readonly kind: string;
  /** A node of the class tree: `postgres.read`, `postgres.write.update`, `postgres.ddl.drop`, `postgres.session.begin`, … */
  readonly class: string;
  readonly tables: readonly TableUse[];
  readonly columns: readonly ColumnUse[];
  /** Functions called, as written (`schema.name` or `name`), sorted, without doubles. */
  readonly functions: readonly string[];
  /** For update and delete at any depth: true only if each of them has a WHERE. Null where the question makes no sense. */
  readonly hasWhere: boolean | null;
  /** `FOR UPDATE` and its kin, `LOCK TABLE`: the strongest lock asked, lower case. */
  readonly locks: string | null;
  /** SQL inside a string that nobody has parsed: DO, EXECUTE in a function body, query_to_xml, dblink … */
  readonly dynamic: boolean;
  /**
   * What the parse tree alone can't settle: each is a reason to refuse. `function:f` (rows from a function that isn't built in),
   * `execute:name` (withExecuted settles it), `operator:schema.op`, `setting:…` (a setting or path not known in advance), `statistics:pg_stats`
   * (other tables' values), `node:Tag` (a node nobody has thought of).
   */
  readonly unresolved: readonly string[];
  /** `SET name`, `SHOW name`, `RESET name`: the parameter, lower case. */
  readonly setting?: string;
  /** The prepared statement, cursor or savepoint it names; DISCARD: `all`, `plans`, `sequences` or `temp`. */
  readonly name?: string;
  /** COPY: where rows come from or go to. */
  readonly copy?: 'stdin' | 'stdout' | 'file' | 'program';
  /** LIMIT of the outermost select when it is a constant. */
  readonly limit?: number;
}

export interface TableUse {
  readonly schema: string | null;
  readonly name: string;
  readonly access: 'read' | 'write';
}

/**
 * `table` is the alias's table as written, `schema.name` or `name`, where the tree tells, else null. `*` as name is every column.
 * `t.x` may also be a function x of the row t, where t has no column x: who has the catalog must refuse a name that isn't a column.
 */
export interface ColumnUse {
  readonly table: string | null;
  readonly name: string;
  readonly access: 'read' | 'write';
  /** Where it stands: a plain item of the outermost target list is `output`; anything else that reads it is `expression`. */
  readonly place: 'output' | 'expression' | 'target';
}
