import type { RelationFacts } from './catalog.port.js';
import { MaskingError } from './errors.js';
import { columnKey, type MaskedColumn, type MaskedColumns, stricter } from './masked-columns.js';
import { everyNode, field, intField, isList, isNode, nodesField, type Tree, type TreeNode } from './node-tree.js';

/** One output column: where its value comes from (0, 0 when computed), and the mask on it if there is one. */
export interface OutputColumn {
  readonly table: number;
  readonly attribute: number;
  readonly masked?: MaskedColumn;
}

/** A masked column is used where it can't be masked. */
export class TaintError extends Error {
  constructor(
    readonly column: string | null,
    readonly reason: string,
  ) {
    super(reason);
    this.name = 'TaintError';
  }
}

export interface TaintScope {
  readonly masked: MaskedColumns;
  readonly maskedTables: ReadonlySet<number>;
  readonly relations: ReadonlyMap<number, RelationFacts>;
  /** Analysed definition of a view, by OID. */
  readonly definitions: ReadonlyMap<number, TreeNode>;
}

export interface Taint {
  readonly outputs: readonly OutputColumn[];
  /** Every masked (table, attribute) that an output may carry, views' own columns among them. */
  readonly columns: MaskedColumns;
}

/** RTEKind (nodes/parsenodes.h). */
const RTE = { relation: '0', subquery: '1', join: '2', function: '3', tableFunction: '4', values: '5', cte: '6', result: '8', group: '9' };

/** Fields that are walked by their own rules, or that only list columns without using them. */
const APART = new Set(['rtable', 'rteperminfos', 'cteList', 'targetList', 'returningList']);

interface Level {
  readonly query: TreeNode;
  readonly rtable: readonly TreeNode[];
  /** Range table number of EXCLUDED, whose values are the statement's own; 0 without ON CONFLICT. */
  readonly excluded: number;
  readonly outputs: Map<TreeNode, readonly OutputColumn[]>;
}

/**
 * Follows masked columns through an analysed query. They may be carried plainly, from base table through views,
 * subqueries and CTEs, to a plain output of the outermost query, and they may not be used in any other way.
 * What this doesn't know it treats as a use.
 * @throws TaintError where a masked column is used, MaskingError MASK_TREE_UNREADABLE for a tree of another shape.
 */
export function traceTaint(query: TreeNode, scope: TaintScope): Taint {
  const walk = new Walk(scope);
  const outputs = walk.query(query, []);
  for (const output of outputs) {
    // The row description carries the same origin; without one the result could not be recognised as masked.
    if (output.masked && !walk.columns.has(columnKey(output.table, output.attribute))) {
      throw new TaintError(output.masked.column, `the result does not say that it comes from ${output.masked.column}`);
    }
  }
  return { outputs, columns: walk.columns };
}

/** The one query in a function body `((QUERY))` or a rewrite rule `(QUERY)`. */
export function onlyQuery(tree: Tree): TreeNode {
  let at: Tree = tree;
  while (isList(at) && at.length === 1) at = at[0] ?? null;
  if (!isNode(at) || at.tag !== 'QUERY') throw new MaskingError('MASK_TREE_UNREADABLE', 'an analysed statement holds no single query');
  return at;
}

export interface References {
  readonly relations: ReadonlySet<number>;
  readonly functions: ReadonlySet<number>;
  readonly operators: ReadonlySet<number>;
}

const FUNCTION_FIELD = /func(?:id|oid)$|fnoid$/;
const OPERATOR_FIELD = /^(?:.*opno|sortop|eqop|.*sortoperator)$/;

/** OIDs of every relation, function and operator that a tree mentions, the server's own too. */
export function references(tree: Tree): References {
  const relations = new Set<number>();
  const functions = new Set<number>();
  const operators = new Set<number>();
  const put = (set: Set<number>, value: Tree): void => {
    if (typeof value === 'string' && /^[1-9]\d*$/.test(value)) set.add(Number(value));
  };
  for (const node of everyNode(tree)) {
    for (const [name, value] of node.fields) {
      if (name === 'relid') put(relations, value);
      else if (FUNCTION_FIELD.test(name)) put(functions, value);
      else if (OPERATOR_FIELD.test(name)) put(operators, value);
      else if (name === 'opnos' && isList(value)) for (const item of value) put(operators, item);
    }
  }
  return { relations, functions, operators };
}

class Walk {
  readonly columns: Map<string, MaskedColumn>;
  private readonly views = new Map<number, readonly OutputColumn[]>();
  private readonly inProgress = new Set<number | TreeNode>();

  constructor(private readonly scope: TaintScope) {
    this.columns = new Map(scope.masked);
  }

  query(query: TreeNode, outer: readonly Level[]): readonly OutputColumn[] {
    const onConflict = field(query, 'onConflict');
    const level: Level = {
      query,
      rtable: nodesField(query, 'rtable'),
      excluded: isNode(onConflict) ? intField(onConflict, 'exclRelIndex') : 0,
      outputs: new Map(),
    };
    const levels = [...outer, level];
    for (const cte of nodesField(query, 'cteList')) this.commonTable(cte, level, levels);
    for (const rte of level.rtable) this.rangeTable(rte, level, levels);
    if (field(query, 'setOperations') !== null) this.refuseSetOperation(level);
    for (const [name, value] of query.fields) if (!APART.has(name)) this.use(value, levels);
    const isSelect = field(query, 'commandType') === '1';
    if (!isSelect) this.use(field(query, 'targetList'), levels);
    return nodesField(query, isSelect ? 'targetList' : 'returningList')
      .filter((entry) => !this.isJunk(entry, levels))
      .map((entry) => this.output(entry, levels));
  }

  private isJunk(entry: TreeNode, levels: readonly Level[]): boolean {
    if (field(entry, 'resjunk') !== 'true') return false;
    this.use(entry, levels);
    return true;
  }

  private output(entry: TreeNode, levels: readonly Level[]): OutputColumn {
    const table = intField(entry, 'resorigtbl');
    const attribute = intField(entry, 'resorigcol');
    const expr = field(entry, 'expr');
    const plain = isNode(expr) && expr.tag === 'VAR' && intField(expr, 'varattno') > 0;
    if (!plain) {
      this.use(expr, levels);
      return { table, attribute };
    }
    const masked = this.variable(expr, levels);
    if (!masked) return { table, attribute };
    if (field(entry, 'ressortgroupref') !== '0') {
      throw new TaintError(masked.column, `it orders, groups or compares rows by ${masked.column}`);
    }
    return { table, attribute, masked };
  }

  private commonTable(cte: TreeNode, level: Level, levels: readonly Level[]): void {
    const query = field(cte, 'ctequery');
    if (!isNode(query)) throw new MaskingError('MASK_TREE_UNREADABLE', 'a common table expression has no query');
    this.inProgress.add(cte);
    level.outputs.set(cte, this.query(query, levels));
    this.inProgress.delete(cte);
  }

  private rangeTable(rte: TreeNode, level: Level, levels: readonly Level[]): void {
    const kind = field(rte, 'rtekind');
    if (kind === RTE.relation) this.relation(intField(rte, 'relid'));
    if (kind === RTE.subquery) {
      const subquery = field(rte, 'subquery');
      if (!isNode(subquery)) throw new MaskingError('MASK_TREE_UNREADABLE', 'a subquery has no query');
      level.outputs.set(rte, this.query(subquery, levels));
    }
    for (const [name, value] of rte.fields) {
      // A join lists all columns of both sides, used or not; a use of one is a variable of its own.
      if (name !== 'subquery' && name !== 'joinaliasvars') this.use(value, levels);
    }
  }

  /** Values of every branch end in the same column, while only the first branch's variables are named. */
  private refuseSetOperation(level: Level): void {
    for (const outputs of level.outputs.values()) {
      const masked = outputs.find((output) => output.masked)?.masked;
      if (masked)
        throw new TaintError(masked.column, `a set operation (UNION, INTERSECT, EXCEPT) mixes ${masked.column} with other values`);
    }
  }

  /** A place where nothing masked may appear. */
  private use(tree: Tree, levels: readonly Level[]): void {
    if (isList(tree)) {
      for (const item of tree) this.use(item, levels);
      return;
    }
    if (!isNode(tree)) return;
    if (tree.tag === 'VAR') {
      const masked = this.variable(tree, levels);
      if (masked) throw new TaintError(masked.column, useOf(tree, masked));
      return;
    }
    if (tree.tag === 'QUERY') {
      const masked = this.query(tree, levels).find((output) => output.masked)?.masked;
      if (masked) throw new TaintError(masked.column, `a subquery in an expression returns ${masked.column}`);
      return;
    }
    if (tree.tag === 'SUBLINK' && field(tree, 'subLinkType') === '0') {
      const subselect = field(tree, 'subselect');
      // EXISTS looks at no output.
      if (isNode(subselect)) this.query(subselect, levels);
      return;
    }
    for (const [name, value] of tree.fields) if (name !== 'exclRelTlist') this.use(value, levels);
  }

  private variable(node: TreeNode, levels: readonly Level[]): MaskedColumn | undefined {
    const depth = levels.length - 1 - intField(node, 'varlevelsup');
    const level = levels[depth];
    const number = intField(node, 'varno');
    const rte = level?.rtable[number - 1];
    if (!level || !rte) throw new MaskingError('MASK_TREE_UNREADABLE', 'a variable points nowhere');
    const attribute = intField(node, 'varattno');
    if (attribute < 0 || number === level.excluded) return undefined;
    switch (field(rte, 'rtekind')) {
      case RTE.relation:
        return this.relationColumn(intField(rte, 'relid'), attribute);
      case RTE.subquery:
        return columnOf(known(level.outputs.get(rte)), attribute);
      case RTE.cte:
        return columnOf(this.commonTableOutputs(rte, levels.slice(0, depth + 1)), attribute);
      case RTE.join:
        return this.listed(field(rte, 'joinaliasvars'), attribute, levels.slice(0, depth + 1));
      case RTE.group:
        return this.listed(field(rte, 'groupexprs'), attribute, levels.slice(0, depth + 1));
      case RTE.function:
      case RTE.tableFunction:
      case RTE.values:
      case RTE.result:
        // Their arguments were walked as uses, so nothing masked comes out of them.
        return undefined;
      default:
        throw new MaskingError('MASK_TREE_UNREADABLE', 'a range table entry is of an unknown kind');
    }
  }

  private listed(list: Tree, attribute: number, levels: readonly Level[]): MaskedColumn | undefined {
    if (!isList(list)) throw new MaskingError('MASK_TREE_UNREADABLE', 'a range table entry has no columns');
    const wanted = attribute === 0 ? list : [list[attribute - 1] ?? null];
    for (const item of wanted) {
      for (const node of everyNode(item)) {
        const masked = node.tag === 'VAR' ? this.variable(node, levels) : undefined;
        if (masked) return masked;
      }
    }
    return undefined;
  }

  private commonTableOutputs(rte: TreeNode, levels: readonly Level[]): readonly OutputColumn[] {
    const level = levels[levels.length - 1 - intField(rte, 'ctelevelsup')];
    const name = field(rte, 'ctename');
    for (const cte of level ? nodesField(level.query, 'cteList') : []) {
      if (field(cte, 'ctename') !== name) continue;
      // A recursive reference comes before the outputs are known; the set operation it stands in lets nothing masked through.
      return this.inProgress.has(cte) ? [] : known(level?.outputs.get(cte));
    }
    throw new MaskingError('MASK_TREE_UNREADABLE', 'a common table expression is not there');
  }

  private relationColumn(oid: number, attribute: number): MaskedColumn | undefined {
    if (this.inProgress.has(oid)) throw new MaskingError('MASK_TREE_UNREADABLE', 'a view reads itself');
    const view = this.relation(oid);
    if (view) return columnOf(view, attribute);
    if (attribute > 0) return this.scope.masked.get(columnKey(oid, attribute));
    if (!this.scope.maskedTables.has(oid)) return undefined;
    for (const [key, masked] of this.scope.masked) if (key.startsWith(`${oid}:`)) return masked;
    return undefined;
  }

  /** Outputs of a view; undefined for a table. A relation whose values nobody can follow is refused by being mentioned. */
  private relation(oid: number): readonly OutputColumn[] | undefined {
    const facts = this.scope.relations.get(oid);
    if (!facts) throw new MaskingError('MASK_TREE_UNREADABLE', 'a relation is not in the catalog');
    const name = `${facts.schema}.${facts.name}`;
    if (facts.schema === 'pg_toast' || QUOTING.has(name)) throw new TaintError(null, `${name} holds copies of other tables' values`);
    if (facts.kind === 'f') throw new TaintError(null, `where the foreign table ${name} gets its values can't be seen`);
    if (facts.hasRules) throw new TaintError(null, `rewrite rules on ${name} can return other values than it says`);
    const definition = this.scope.definitions.get(oid);
    if (!definition) {
      if (facts.kind === 'v' || facts.kind === 'm') throw new TaintError(null, `the definition of ${name} can't be read`);
      return undefined;
    }
    // Up to PostgreSQL 15 a view's definition lists the view itself as OLD and NEW, and never uses them.
    if (this.inProgress.has(oid)) return [];
    return this.views.get(oid) ?? this.view(oid, name, definition);
  }

  private view(oid: number, name: string, definition: TreeNode): readonly OutputColumn[] {
    let plain: readonly OutputColumn[];
    this.inProgress.add(oid);
    try {
      plain = this.query(definition, []);
    } catch (error) {
      if (error instanceof TaintError) throw new TaintError(error.column, `in the view ${name}: ${error.reason}`);
      throw error;
    }
    this.inProgress.delete(oid);
    const outputs = plain.map((output, i): OutputColumn => {
      const key = columnKey(oid, i + 1);
      // A rule may name the view's own column as well.
      const own = this.columns.get(key);
      const masked = output.masked && own ? { column: own.column, way: stricter(own.way, output.masked.way) } : (output.masked ?? own);
      if (!masked) return output;
      this.columns.set(key, masked);
      return { ...output, masked };
    });
    this.views.set(oid, outputs);
    return outputs;
  }
}

/** Catalog tables that quote column values. */
const QUOTING = new Set(['pg_catalog.pg_statistic', 'pg_catalog.pg_statistic_ext_data']);

function known(outputs: readonly OutputColumn[] | undefined): readonly OutputColumn[] {
  if (!outputs) throw new MaskingError('MASK_TREE_UNREADABLE', 'a column is used before its query');
  return outputs;
}

function columnOf(outputs: readonly OutputColumn[], attribute: number): MaskedColumn | undefined {
  if (attribute > 0 && attribute <= outputs.length) return outputs[attribute - 1]?.masked;
  // The whole row, or a column that SEARCH or CYCLE adds.
  return outputs.find((output) => output.masked)?.masked;
}

function useOf(node: TreeNode, masked: MaskedColumn): string {
  return field(node, 'varattno') === '0'
    ? `it uses a whole row that holds ${masked.column}`
    : `it uses ${masked.column} in another way than as a plain output column`;
}
