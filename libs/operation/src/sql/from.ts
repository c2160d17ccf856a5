import { call } from './calls.js';
import { isBuiltinFunction } from './functions.js';
import { derived, isCte, type Scope } from './scope.js';
import { aliasOf, readTable, relation, tableName } from './tables.js';
import { as, dotted, fieldsOf, listOf, namesOf, stringOf, tagged, textOf, type Fields, type Tagged } from './tree.js';
import { type Context, walkChildren, walkField } from './context.js';

/** One item of FROM, USING or MERGE's source: adds what it names to `scope`, and walks what is inside. */
export function walkFrom(item: unknown, scope: Scope, context: Context): void {
  const node = tagged(item);
  if (node === undefined) return;
  const { fields } = node;
  // Items to the left are in sight only of LATERAL ones; functions always are.
  const inside = (lateral: boolean): Context => ({ ...context, scope: lateral ? scope : scope.parent });
  switch (node.tag) {
    case 'RangeVar': {
      const name = tableName(fields);
      if (name.schema === null && isCte(context.ctes, name.name)) {
        scope.add(derived(aliasOf(fields) ?? name.name));
        return;
      }
      readTable(name, context.facts);
      scope.add(relation(fields));
      return;
    }
    case 'RangeSubselect':
      walkField([fields['subquery']], inside(fields['lateral'] === true));
      scope.add(derived(aliasOf(fields)));
      return;
    case 'RangeFunction':
      return rangeFunction(fields, scope, inside(true));
    case 'RangeTableFunc':
    case 'JsonTable':
      walkChildren(node, inside(true));
      scope.add(derived(aliasOf(fields)));
      return;
    case 'RangeTableSample':
      walkFrom(fields['relation'], scope, context);
      call(namesOf(fields['method']), [], context.facts);
      walkField([fields['args'], fields['repeatable']], inside(false));
      return;
    case 'JoinExpr':
      return join(node, scope, context);
    default:
      return context.visit(node, inside(true));
  }
}

function rangeFunction(fields: Fields, scope: Scope, context: Context): void {
  let name: string | null = null;
  for (const item of listOf(fields['functions'])) {
    const parts = listOf(as(item, 'List')?.['items']);
    const names = namesOf(as(parts[0], 'FuncCall')?.['funcname']);
    if (names.length > 0) {
      name = names.at(-1) ?? null;
      // Its rows come from where nobody can see.
      if (!isBuiltinFunction(names)) context.facts.unresolved.add(`function:${dotted(names)}`);
    }
    walkField(parts, context);
  }
  walkField(fields['coldeflist'], context);
  scope.add(derived(aliasOf(fields) ?? name));
}

function join(node: Tagged, scope: Scope, context: Context): void {
  const { fields } = node;
  const before = scope.size;
  walkFrom(fields['larg'], scope, context);
  walkFrom(fields['rarg'], scope, context);
  const sides = scope.relations.slice(before);
  for (const name of listOf(fields['usingClause'])) context.facts.column(null, stringOf(name) ?? '*', 'read', 'expression');
  // Which columns a natural join compares, only the catalog knows.
  if (fields['isNatural'] === true) for (const side of sides) context.facts.column(side.table, '*', 'read', 'expression');
  walkField(fields['quals'], { ...context, scope });
  const using = textOf(fieldsOf(fields['join_using_alias'])?.['aliasname']);
  if (using !== undefined) scope.add({ ...derived(using), byNameOnly: true });
  const alias = aliasOf(fields);
  if (alias === null) return;
  // A join's own alias hides the names inside it; their columns stay reachable, unqualified and through star.
  scope.hide(before);
  scope.add({ ...derived(alias), byNameOnly: true });
}
