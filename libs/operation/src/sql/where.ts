import { as, children, constantOf, type Constant, listOf, namesOf, tagged, type Tagged } from './tree.js';

/**
 * What a condition does to the rows of a statement: `always` keeps all of them, `never` none, `selects` depends on the row, and
 * `unknown` is the same for all rows but only the server knows which (`$1`, `now() > …`, a column-free function).
 */
export type Truth = 'always' | 'never' | 'selects' | 'unknown';

/** True if an UPDATE or DELETE with this condition leaves out rows on purpose. A condition that can't depend on the row doesn't. */
export function selectsRows(condition: unknown): boolean {
  if (condition === undefined) return false;
  const truth = truthOf(condition);
  return truth === 'selects' || truth === 'never';
}

/** Folds literals, boolean operators and comparisons of a thing with itself. It catches accidents and cheap tricks; `id > 0` is beyond it. */
export function truthOf(condition: unknown): Truth {
  const node = tagged(condition);
  if (node === undefined) return 'unknown';
  if (node.tag === 'CurrentOfExpr') return 'selects';
  if (node.tag === 'BoolExpr') return boolean(String(node.fields['boolop']), listOf(node.fields['args']));
  const constant = constantOf(condition);
  if (constant !== undefined) return truthOfConstant(constant);
  if (node.tag === 'TypeCast' || node.tag === 'CollateClause') return truthOf(node.fields['arg']);
  if (node.tag === 'A_Expr') return comparison(node);
  if (node.tag === 'NullTest') return nullTest(node);
  if (node.tag === 'BooleanTest') return booleanTest(node);
  return readsRows(node) ? 'selects' : 'unknown';
}

function boolean(operator: string, args: readonly unknown[]): Truth {
  if (operator === 'OR_EXPR' && coversAll(args)) return 'always';
  return combine(operator, args.map(truthOf));
}

/** `x IS NULL OR x IS NOT NULL`, `p OR NOT p` of one column. The second leaves out the rows where p is null: near enough to none. */
function coversAll(args: readonly unknown[]): boolean {
  const seen = new Set<string>();
  for (const arg of args) {
    const nullTest = as(arg, 'NullTest');
    const negated = as(arg, 'BoolExpr')?.['boolop'] === 'NOT_EXPR' ? listOf(as(arg, 'BoolExpr')?.['args'])[0] : undefined;
    const column = columnKey(nullTest === undefined ? (negated ?? arg) : nullTest['arg']);
    if (column === undefined) continue;
    const [side, other] =
      nullTest === undefined
        ? negated === undefined
          ? ['is', 'not']
          : ['not', 'is']
        : nullTest['nulltesttype'] === 'IS_NULL'
          ? ['null', 'value']
          : ['value', 'null'];
    if (seen.has(`${other} ${column}`)) return true;
    seen.add(`${side} ${column}`);
  }
  return false;
}

function combine(operator: string, parts: readonly Truth[]): Truth {
  if (operator === 'NOT_EXPR') return negate(parts[0] ?? 'unknown');
  const [absorbing, neutral]: [Truth, Truth] = operator === 'AND_EXPR' ? ['never', 'always'] : ['always', 'never'];
  if (parts.includes(absorbing)) return absorbing;
  const rest = parts.filter((part) => part !== neutral);
  if (rest.length === 0) return neutral;
  // `id = 1 AND $1` selects at most one row; `id = 1 OR $1` may keep all.
  const careful: Truth = operator === 'AND_EXPR' ? 'selects' : 'unknown';
  return rest.includes(careful) ? careful : rest[0]!;
}

const negate = (truth: Truth): Truth => (truth === 'always' ? 'never' : truth === 'never' ? 'always' : truth);

const TRUE_TEXTS = ['true', 'tru', 'tr', 't', 'yes', 'ye', 'y', 'on', '1'];

function truthOfConstant(constant: Constant): Truth {
  switch (constant.kind) {
    case 'null':
      return 'never';
    case 'boolean':
      return constant.value ? 'always' : 'never';
    case 'number':
      return constant.value === 0 ? 'never' : 'always';
    case 'string':
      return TRUE_TEXTS.includes(constant.value.trim().toLowerCase()) ? 'always' : 'never';
  }
}

function comparison(node: Tagged): Truth {
  const { kind, lexpr, rexpr } = node.fields;
  if (!readsRows(node)) return foldComparison(String(kind), namesOf(node.fields['name']).at(-1) ?? '', lexpr, rexpr);
  const left = columnKey(lexpr);
  const same = left !== undefined && left === columnKey(rexpr);
  const operator = namesOf(node.fields['name']).at(-1);
  if (
    same &&
    (kind === 'AEXPR_OP' || kind === 'AEXPR_LIKE' || kind === 'AEXPR_ILIKE') &&
    ['=', '<=', '>=', '~~', '~~*'].includes(operator ?? '')
  ) {
    return 'always';
  }
  if (same && kind === 'AEXPR_OP' && ['<>', '<', '>'].includes(operator ?? '')) return 'never';
  if (same && kind === 'AEXPR_NOT_DISTINCT') return 'always';
  if (
    kind === 'AEXPR_IN' &&
    operator === '=' &&
    left !== undefined &&
    listOf(as(rexpr, 'List')?.['items']).some((item) => columnKey(item) === left)
  )
    return 'always';
  return 'selects';
}

function foldComparison(kind: string, operator: string, left: unknown, right: unknown): Truth {
  const a = constantOf(left);
  const b = constantOf(right);
  if (kind === 'AEXPR_OP' && a !== undefined && b !== undefined) {
    if (a.kind === 'null' || b.kind === 'null') return 'never';
    const [x, y] = typeof a.value === typeof b.value ? [a.value, b.value] : [String(a.value), String(b.value)];
    // Only equality of equal literals is sure whatever the type; the rest the server may see otherwise.
    if (x === y)
      return ['=', '<=', '>=', '~~', '~~*'].includes(operator) ? 'always' : ['<>', '<', '>'].includes(operator) ? 'never' : 'unknown';
    if (a.kind === 'number' && b.kind === 'number') {
      const verdict = {
        '=': false,
        '<>': true,
        '<': a.value < b.value,
        '<=': a.value < b.value,
        '>': a.value > b.value,
        '>=': a.value > b.value,
      }[operator];
      return verdict === undefined ? 'unknown' : verdict ? 'always' : 'never';
    }
  }
  return 'unknown';
}

function nullTest(node: Tagged): Truth {
  const constant = constantOf(node.fields['arg']);
  if (constant === undefined) return readsRows(node) ? 'selects' : 'unknown';
  return (constant.kind === 'null') === (node.fields['nulltesttype'] === 'IS_NULL') ? 'always' : 'never';
}

function booleanTest(node: Tagged): Truth {
  const inner = truthOf(node.fields['arg']);
  if (inner === 'selects' || inner === 'unknown') return inner;
  switch (node.fields['booltesttype']) {
    case 'IS_TRUE':
    case 'IS_NOT_FALSE':
      return inner;
    case 'IS_FALSE':
    case 'IS_NOT_TRUE':
      return negate(inner);
    default:
      return 'unknown';
  }
}

/** A condition without a column can't tell one row from another. */
function readsRows(node: Tagged): boolean {
  return node.tag === 'ColumnRef' || children(node).some(readsRows);
}

/** The name of a plain column; nothing else is compared with itself, so that this stays linear. */
function columnKey(value: unknown): string | undefined {
  const fields = as(value, 'ColumnRef');
  return fields === undefined ? undefined : JSON.stringify(namesOf(fields['fields']));
}
