import { parseSql } from '@sallyport/operation';

import type { AnalyseRequest, MaskCatalog, RelationFacts } from './catalog.port.js';
import { MaskingError } from './errors.js';
import { FIRST_USER_OID, opaqueFunction } from './functions.js';
import type { MaskIndex } from './masked-columns.js';
import { type AllowedPlan, type MaskPlan, refusal } from './mask-plan.js';
import { parseNodeTree, type TreeNode } from './node-tree.js';
import { type References, onlyQuery, references, TaintError, traceTaint } from './taint.js';

/** A SELECT, INSERT, UPDATE, DELETE or MERGE to be planned. */
export interface QueryToPlan {
  readonly text: string;
  readonly returnsRows: boolean;
  readonly parameterTypes: readonly number[];
  readonly declaredTypes?: string | undefined;
  readonly searchPath: string;
}

/** The text with its parameters taken out, as the catalog wants it. */
export function piecesOf(query: QueryToPlan): AnalyseRequest {
  const pieces: (string | number)[] = [];
  let at = 0;
  let highest = 0;
  for (const token of parseSql(query.text).tokens) {
    if (token.kind !== 'parameter') continue;
    const number = Number(query.text.slice(token.start + 1, token.end));
    pieces.push(query.text.slice(at, token.start), number);
    highest = Math.max(highest, number);
    at = token.end;
  }
  pieces.push(query.text.slice(at));
  return {
    pieces,
    parameterTypes: Array.from({ length: Math.max(highest, query.parameterTypes.length) }, (_, i) => query.parameterTypes[i] ?? 0),
    ...(query.declaredTypes === undefined ? {} : { declaredTypes: query.declaredTypes }),
    searchPath: query.searchPath,
    returnsRows: query.returnsRows,
  };
}

/**
 * Plans one query from the server's own analysis of it. `names` are those that the statement itself uses: relations without
 * a schema, and its common table expressions.
 */
export async function planQuery(
  query: QueryToPlan,
  names: { readonly unqualified: readonly string[]; readonly commonTables: readonly string[] },
  index: MaskIndex,
  catalog: MaskCatalog,
  limits: { readonly maxParameters: number; readonly maxRelations: number },
): Promise<MaskPlan> {
  const [anyColumn = ''] = [...index.columns.values()].map((masked) => masked.column).concat(index.dangling.map((rule) => rule.column));
  const request = piecesOf(query);
  if (request.parameterTypes.length > limits.maxParameters) {
    return refusal(anyColumn, `a statement with more than ${limits.maxParameters} parameters is not analysed`);
  }
  const analysed = await catalog.analyse(request);
  if (!analysed.ok) {
    const what = analysed.message ? `: ${analysed.message}` : '';
    return refusal(
      anyColumn,
      `the target could not resolve the statement outside your session (${analysed.sqlstate}${what})`,
      UNRESOLVED_HINT,
    );
  }
  try {
    const tree = onlyQuery(parseNodeTree(analysed.tree));
    const reach = await expand(tree, catalog, limits.maxRelations);
    const opaque = await opaqueIn(reach.references, catalog);
    if (opaque !== undefined) return refusal(anyColumn, opaque);
    const dangling = index.dangling[0];
    if (dangling && [...reach.references.relations].some((oid) => oid >= FIRST_USER_OID)) {
      return refusal(dangling.column, DANGLING[dangling.missing], 'Ask for the mask in the grant to be corrected.');
    }
    const taint = traceTaint(tree, {
      masked: index.columns,
      maskedTables: index.tables,
      relations: reach.relations,
      definitions: reach.definitions,
    });
    const ambiguous = ambiguousName(names, index, reach.relations);
    if (ambiguous !== undefined) {
      return refusal(anyColumn, `${ambiguous} here is not the one that leads to the masked column`, 'Write the table with its schema.');
    }
    const isSelect = tree.fields.get('commandType') === '1';
    const touches = [...reach.references.relations].some((oid) => index.tables.has(oid));
    const plan: AllowedPlan = {
      kind: taint.outputs.some((output) => output.masked) ? 'plain' : 'clear',
      scrub: touches || !isSelect,
      origins: taint.outputs.map(({ table, attribute }) => ({ table, attribute })),
      columns: taint.columns,
    };
    return plan;
  } catch (error) {
    if (error instanceof TaintError) return refusal(error.column ?? anyColumn, error.reason);
    if (error instanceof MaskingError && (error.code === 'MASK_TREE_UNREADABLE' || error.code === 'MASK_LIMIT')) {
      return refusal(anyColumn, error.message);
    }
    throw error;
  }
}

const UNRESOLVED_HINT =
  'Temporary tables and objects that are not committed yet can only be used by a session without masks. Otherwise check the statement.';

const DANGLING = {
  table: 'its table is not in this database, so that the mask could be on any other',
  column: 'its table has no such column, so that the mask could be on any other',
  name: 'the mask does not name a column as schema.table.column',
};

interface Reach {
  readonly references: References;
  readonly relations: ReadonlyMap<number, RelationFacts>;
  readonly definitions: ReadonlyMap<number, TreeNode>;
}

/** Everything a query reaches, through views at any depth. */
async function expand(tree: TreeNode, catalog: MaskCatalog, maxRelations: number): Promise<Reach> {
  const relations = new Map<number, RelationFacts>();
  const definitions = new Map<number, TreeNode>();
  const functions = new Set<number>();
  const operators = new Set<number>();
  let trees: TreeNode[] = [tree];
  while (trees.length > 0) {
    const wanted = new Set<number>();
    for (const one of trees) {
      const found = references(one);
      for (const oid of found.relations) if (!relations.has(oid)) wanted.add(oid);
      for (const oid of found.functions) functions.add(oid);
      for (const oid of found.operators) operators.add(oid);
    }
    if (relations.size + wanted.size > maxRelations) throw new MaskingError('MASK_LIMIT', `it reaches more than ${maxRelations} relations`);
    trees = [];
    for (const [oid, facts] of wanted.size > 0 ? await catalog.relations([...wanted]) : []) {
      relations.set(oid, facts);
      if (facts.definition === null) continue;
      const definition = onlyQuery(parseNodeTree(facts.definition));
      definitions.set(oid, definition);
      trees.push(definition);
    }
  }
  return { references: { relations: new Set(relations.keys()), functions, operators }, relations, definitions };
}

async function opaqueIn(found: References, catalog: MaskCatalog): Promise<string | undefined> {
  const functions = new Set(found.functions);
  const userOperators = [...found.operators].filter((oid) => oid >= FIRST_USER_OID);
  if (userOperators.length > 0) {
    const behind = await catalog.operators(userOperators);
    for (const oid of userOperators) {
      const fn = behind.get(oid);
      if (fn === undefined) return 'an operator in it is not in the catalog';
      functions.add(fn);
    }
  }
  if (functions.size === 0) return undefined;
  const facts = await catalog.functions([...functions]);
  for (const oid of functions) {
    const fn = facts.get(oid);
    if (!fn) return 'a function in it is not in the catalog';
    const opaque = opaqueFunction(fn);
    if (opaque !== undefined) return opaque;
  }
  return undefined;
}

/**
 * The side connection may see another search_path than the session, for a moment. So an unqualified name that some relation
 * on the way to a masked column bears has to have meant that relation.
 */
function ambiguousName(
  names: { readonly unqualified: readonly string[]; readonly commonTables: readonly string[] },
  index: MaskIndex,
  relations: ReadonlyMap<number, RelationFacts>,
): string | undefined {
  for (const name of names.commonTables) if (index.names.has(name)) return name;
  for (const name of names.unqualified) {
    if (!index.names.has(name)) continue;
    const meant = [...relations.values()].filter((facts) => facts.name === name);
    if (!meant.some((facts) => index.tables.has(facts.oid) || facts.definition !== null)) return name;
  }
  return undefined;
}
