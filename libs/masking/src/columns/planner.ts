import { type ParsedSql, parseSql } from '@sallyport/operation';
import type { MaskRule } from '@sallyport/verdict';

import { planQuery } from './analyse.js';
import type { ColumnName, LocatedColumn, MaskCatalog } from './catalog.port.js';
import { declaredTypes, innerStatement } from './inner-statement.js';
import { type AllowedPlan, type MaskPlan, refusal, type StringPlan, UNMASKED } from './mask-plan.js';
import { indexMasks, type MaskIndex, parseColumnName } from './masked-columns.js';
import { eachStatement, everyRaw, type OneStatement, relationsIn, shapeOf, tagOf } from './raw-tree.js';
import { isConstantSelect, makesObjects, type Shape, shapeOfStatement } from './statements.js';

export interface MaskRequest {
  readonly sql: ParsedSql;
  readonly masks: readonly MaskRule[];
  /** As `SHOW search_path` prints it in the session at the moment the statement will run. */
  readonly searchPath: string;
  /** From the Parse message; empty for a simple query. */
  readonly parameterTypes?: readonly number[];
}

/** A statement that the session can run by name. */
export interface NamedStatement {
  readonly text: string;
  readonly parameterTypes: readonly number[];
  readonly declaredTypes?: string | undefined;
}

export interface MaskLimits {
  /** Plans kept per session. The oldest goes first. */
  readonly maxPlans: number;
  /** SQL-level prepared statements and cursors remembered per session; PREPARE and DECLARE beyond it are refused. */
  readonly maxNamedStatements: number;
  readonly maxParameters: number;
  /** Tables and views that one statement may reach, through views at any depth. */
  readonly maxRelations: number;
}

export const MASK_LIMITS: MaskLimits = { maxPlans: 500, maxNamedStatements: 1000, maxParameters: 5000, maxRelations: 500 };

export interface MaskPlannerOptions {
  readonly catalog: MaskCatalog;
  readonly limits?: Partial<MaskLimits>;
  /** Statements of protocol-level Parse (kind `prepared`) and portals of Bind (kind `cursor`), which SQL can run by the same names. */
  readonly lookup?: (kind: 'prepared' | 'cursor', name: string) => readonly NamedStatement[];
}

interface Context {
  readonly index: MaskIndex;
  readonly searchPath: string;
  readonly parameterTypes: readonly number[];
  readonly depth: number;
}

/** EXECUTE of a protocol-level statement that is itself an EXECUTE, and so on. */
const MAX_DEPTH = 4;

/**
 * Plans masks for one session. `cached` answers at once when it can; `plan` asks the catalog. Both must be asked for every
 * Parse and simple query, and again at Execute when the masks, the search_path or the catalog's generation changed since.
 */
export class MaskPlanner {
  private readonly plans = new Map<string, { readonly generation: number; readonly plan: StringPlan }>();
  private readonly named = new Map<string, readonly NamedStatement[]>();
  private readonly limits: MaskLimits;
  /** Columns that were masked whenever the session made objects; undefined while it made none. */
  private maskedThroughout: ReadonlySet<string> | undefined;
  private indexed: { readonly key: string; readonly generation: number; readonly index: MaskIndex } | undefined;

  constructor(private readonly options: MaskPlannerOptions) {
    this.limits = { ...MASK_LIMITS, ...options.limits };
  }

  /** The plan if it is known and the catalog is fresh; undefined: call `plan`. Without masks always known. */
  cached(request: MaskRequest): StringPlan | undefined {
    this.noteObjects(request);
    if (request.masks.length === 0) return UNMASKED;
    const { catalog } = this.options;
    if (this.newMask(request) !== undefined) return undefined;
    const hit = catalog.fresh ? this.plans.get(keyOf(request)) : undefined;
    return hit?.generation === catalog.generation ? hit.plan : undefined;
  }

  /** Rejects with MaskingError MASK_CATALOG_AWAY when the target's catalog can't be asked: then refuse the statement. */
  async plan(request: MaskRequest): Promise<StringPlan> {
    this.noteObjects(request);
    if (request.masks.length === 0) return UNMASKED;
    const { catalog } = this.options;
    const late = this.newMask(request);
    if (late !== undefined) {
      const refused = refusal(late, 'this session made objects before it was', 'Open a new session.');
      return { refused, statements: [refused] };
    }
    if (!catalog.fresh) await catalog.refresh();
    const known = this.cached(request);
    if (known) return known;
    const generation = catalog.generation;
    const index = await this.index(request.masks, generation);
    const context: Context = { index, searchPath: request.searchPath, parameterTypes: request.parameterTypes ?? [], depth: 0 };
    const { plan, lasting } = await this.string(request.sql, context);
    if (lasting) this.keep(keyOf(request), generation, plan);
    return plan;
  }

  /** A temporary view or function that was fine when it was made is out of sight when a mask comes that it gets around. */
  private noteObjects(request: MaskRequest): void {
    if (!request.sql.statements.some((statement) => makesObjects(statement.node))) return;
    const columns = request.masks.map((rule) => rule.column);
    this.maskedThroughout = new Set(columns.filter((column) => this.maskedThroughout?.has(column) ?? true));
  }

  private newMask(request: MaskRequest): string | undefined {
    return this.maskedThroughout && request.masks.find((rule) => !this.maskedThroughout?.has(rule.column))?.column;
  }

  private async string(sql: ParsedSql, context: Context): Promise<{ readonly plan: StringPlan; readonly lasting: boolean }> {
    const statements: MaskPlan[] = [];
    let lasting = true;
    let shifted = false;
    for (const statement of eachStatement(sql)) {
      const shape = shapeOfStatement(statement.node, context.index.names);
      const reads = shape.is !== 'utility' && shape.is !== 'refuse';
      const plan =
        shifted && reads
          ? refusal(
              anyColumn(context),
              'an earlier statement in the same string can change what its names mean',
              'Send the statements one by one.',
            )
          : await this.statement(statement, shape, context);
      if (plan.kind === 'refuse') return { plan: { refused: plan, statements: [plan] }, lasting: shape.is === 'query' };
      if (shape.is === 'names' || shape.is === 'by-name' || shape.is === 'explain') lasting = false;
      if (shape.is === 'utility' ? shape.shifts : shape.is === 'copies') shifted = true;
      statements.push(plan);
    }
    return { plan: { refused: undefined, statements }, lasting };
  }

  private async statement(statement: OneStatement, shape: Shape, context: Context): Promise<MaskPlan> {
    switch (shape.is) {
      case 'refuse':
        return refusal(anyColumn(context), shape.reason);
      case 'utility':
        return noRows(context);
      case 'query':
        return this.query(statement, shape.returnsRows, context);
      case 'copies-table':
        return this.copies(parseSql(shape.select), shape.what, context);
      case 'copies': {
        const inner = innerStatement(statement.text, shape.inner);
        return inner
          ? this.copies(inner, shape.what, context)
          : refusal(anyColumn(context), `the query inside ${shape.what} can't be told apart`);
      }
      case 'explain':
        return this.explain(statement, shape.inner, context);
      case 'names':
        return this.name(statement, shape, context);
      case 'by-name':
        return this.byName(shape, context);
    }
  }

  private async query(statement: OneStatement, returnsRows: boolean, context: Context, types?: string): Promise<MaskPlan> {
    const again = parseSql(statement.text);
    if (again.statements.length !== 1 || shapeOf(again.statements[0]?.node) !== shapeOf(statement.node)) {
      return refusal(anyColumn(context), "the statement can't be cut out of its string");
    }
    if (isConstantSelect(statement.node) && !context.searchPath.includes('pg_catalog'))
      return { ...noRows(context), origins: null, scrub: false };
    const { searchPath, parameterTypes, index } = context;
    const query = { text: statement.text, returnsRows, parameterTypes, declaredTypes: types, searchPath };
    return planQuery(query, namesIn(statement.node), index, this.options.catalog, this.limits);
  }

  private async copies(inner: ParsedSql, what: string, context: Context): Promise<MaskPlan> {
    const plan = await this.only(inner, context);
    if (plan.kind === 'plain') return refusal(maskedColumn(plan), `${what} would hand its values on where they can't be masked`);
    return plan.kind === 'clear' ? noRows(context) : plan;
  }

  private async explain(statement: OneStatement, node: unknown, context: Context): Promise<MaskPlan> {
    const shape = shapeOfStatement(node, context.index.names);
    let plan: MaskPlan;
    if (shape.is === 'by-name') plan = await this.byName(shape, context);
    else {
      const inner = shape.is === 'query' ? innerStatement(statement.text, node) : undefined;
      if (!inner) return refusal(anyColumn(context), "the statement inside EXPLAIN can't be told apart");
      plan = await this.only(inner, context);
    }
    return plan.kind === 'refuse' ? plan : { ...noRows(context), origins: null };
  }

  private async name(statement: OneStatement, shape: Extract<Shape, { is: 'names' }>, context: Context): Promise<MaskPlan> {
    const inner = innerStatement(statement.text, shape.inner);
    const typed = tagOf(statement.node)?.[1]['argtypes'] !== undefined;
    const types = inner && typed ? declaredTypes(statement.text, statement.node, inner.text) : undefined;
    if (!inner || (typed && types === undefined)) return refusal(anyColumn(context), "the statement it names can't be told apart");
    const one = { text: inner.text, parameterTypes: [], declaredTypes: types };
    const plan = await this.namedOne(one, context);
    if (plan.kind === 'refuse') return plan;
    const key = `${shape.kind}:${shape.name}`;
    // A name may be taken already, and then the older statement stays behind it. So all that it may mean is kept.
    const before = this.named.get(key) ?? [];
    if (!before.some((other) => other.text === one.text && other.declaredTypes === one.declaredTypes)) {
      const count = [...this.named.values()].reduce((sum, list) => sum + list.length, 0);
      if (count >= this.limits.maxNamedStatements) {
        return refusal(
          anyColumn(context),
          `the session has named more than ${this.limits.maxNamedStatements} statements`,
          'Open a new session.',
        );
      }
      this.named.set(key, [...before, one]);
    }
    return noRows(context);
  }

  private async byName(shape: Extract<Shape, { is: 'by-name' }>, context: Context): Promise<MaskPlan> {
    const all = [...(this.named.get(`${shape.kind}:${shape.name}`) ?? []), ...(this.options.lookup?.(shape.kind, shape.name) ?? [])];
    if (all.length === 0)
      return refusal(anyColumn(context), `nothing is known of the ${shape.kind === 'cursor' ? 'cursor' : 'prepared statement'} it names`);
    if (context.depth >= MAX_DEPTH) return refusal(anyColumn(context), 'statements name each other too deeply');
    const columns = new Map(context.index.columns);
    const plans: AllowedPlan[] = [];
    for (const one of all) {
      const plan = await this.namedOne(one, { ...context, depth: context.depth + 1 });
      if (plan.kind === 'refuse') return plan;
      if (shape.copies && plan.kind === 'plain')
        return refusal(maskedColumn(plan), "CREATE TABLE AS would hand its values on where they can't be masked");
      for (const [key, masked] of plan.columns) columns.set(key, masked);
      plans.push(plan);
    }
    if (shape.copies) return noRows(context);
    const origins = plans.length === 1 ? (plans[0]?.origins ?? null) : null;
    return { kind: plans.some((plan) => plan.kind === 'plain') ? 'plain' : 'clear', scrub: true, origins, columns };
  }

  private async namedOne(one: NamedStatement, context: Context): Promise<MaskPlan> {
    const own: Context = { ...context, parameterTypes: one.parameterTypes };
    const sql = parseSql(one.text);
    const [statement, more] = eachStatement(sql);
    if (!statement || more) return refusal(anyColumn(context), 'a name stands for more than one statement');
    const shape = shapeOfStatement(statement.node, context.index.names);
    return shape.is === 'query' ? this.query(statement, shape.returnsRows, own, one.declaredTypes) : this.statement(statement, shape, own);
  }

  private async only(sql: ParsedSql, context: Context): Promise<MaskPlan> {
    const { plan } = await this.string(sql, context);
    return plan.refused ?? plan.statements[0] ?? refusal(anyColumn(context), 'there is no statement');
  }

  private async index(masks: readonly MaskRule[], generation: number): Promise<MaskIndex> {
    const key = JSON.stringify(masks);
    if (this.indexed?.key === key && this.indexed.generation === generation) return this.indexed.index;
    const names = masks.map((rule) => parseColumnName(rule.column));
    const readable = names.filter((name): name is ColumnName => name !== undefined);
    const found = await this.options.catalog.locate(readable);
    const located = names.map((name): LocatedColumn | undefined => (name ? found[readable.indexOf(name)] : undefined));
    const index = indexMasks(masks, located);
    this.indexed = { key, generation, index };
    return index;
  }

  private keep(key: string, generation: number, plan: StringPlan): void {
    this.plans.delete(key);
    this.plans.set(key, { generation, plan });
    const oldest = this.plans.size > this.limits.maxPlans ? this.plans.keys().next().value : undefined;
    if (oldest !== undefined) this.plans.delete(oldest);
  }
}

function keyOf(request: MaskRequest): string {
  return JSON.stringify([request.sql.text, request.searchPath, request.parameterTypes ?? [], request.masks]);
}

function noRows(context: Context): AllowedPlan {
  return { kind: 'clear', scrub: true, origins: null, columns: context.index.columns };
}

function anyColumn(context: Context): string {
  const [first] = context.index.columns.values();
  return first?.column ?? context.index.dangling[0]?.column ?? '';
}

function maskedColumn(plan: AllowedPlan): string {
  for (const { table, attribute } of plan.origins ?? []) {
    const masked = plan.columns.get(`${table}:${attribute}`);
    if (masked) return masked.column;
  }
  return plan.columns.values().next().value?.column ?? '';
}

function namesIn(node: unknown): { unqualified: string[]; commonTables: string[] } {
  const commonTables: string[] = [];
  everyRaw(node, (_name, fields) => {
    if (typeof fields['ctename'] === 'string') commonTables.push(fields['ctename']);
  });
  return { unqualified: relationsIn(node).flatMap((relation) => (relation.schema ? [] : [relation.name])), commonTables };
}
