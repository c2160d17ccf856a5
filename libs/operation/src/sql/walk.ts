import { callNode, call, operator } from './calls.js';
import { type Context, walkChildren } from './context.js';
import { readColumn } from './columns.js';
import { walkDml, walkSelect } from './queries.js';
import { readTable, tableName, writeTable } from './tables.js';
import { namesOf, type Tagged } from './tree.js';
import { statement } from './statements.js';

/** Nodes of the raw grammar that mean nothing by themselves: what counts is below them. */
const PLAIN = new Set(
  `A_ArrayExpr A_Const A_Indices A_Indirection A_Star ATAlterConstraint AccessPriv Alias AlterTableCmd BitString BoolExpr Boolean
  BooleanTest CTECycleClause CTESearchClause CaseExpr CaseWhen CoalesceExpr CollateClause ColumnDef Constraint CreateOpClassItem CurrentOfExpr DefElem Float
  FunctionParameter GroupingFunc GroupingSet IndexElem InferClause Integer IntoClause JsonAggConstructor JsonArgument JsonArrayAgg JsonArrayConstructor
  JsonArrayQueryConstructor JsonBehavior JsonFormat JsonFuncExpr JsonIsPredicate JsonKeyValue JsonObjectAgg JsonObjectConstructor JsonOutput JsonParseExpr
  JsonReturning JsonScalarExpr JsonSerializeExpr JsonTable JsonTableColumn JsonTablePathSpec JsonValueExpr List MergeSupportFunc MinMaxExpr MultiAssignRef
  NamedArgExpr NullTest ObjectWithArgs ParamRef PartitionBoundSpec PartitionCmd PartitionElem PartitionRangeDatum PartitionSpec PublicationObjSpec
  PublicationTable RangeTableFunc RangeTableFuncCol ReplicaIdentityStmt ResTarget ReturnStmt RoleSpec RowExpr SQLValueFunction SetToDefault StatsElem String
  TriggerTransition TypeCast TypeName VacuumRelation VariableSetStmt WindowDef XmlExpr XmlSerialize`.split(/\s+/),
);

/** Walks one node and all below it. Total: a node that nobody has thought of makes the statement unknown. */
export function walk(node: Tagged, context: Context): void {
  const { facts } = context;
  switch (node.tag) {
    case 'ColumnRef':
      return readColumn(node.fields, context.scope, facts, 'expression');
    case 'SelectStmt':
      return walkSelect(node.fields, context, 'expression');
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return walkDml(node, context, 'expression');
    case 'RangeVar':
      return context.tableAccess === 'write' ? writeTable(tableName(node.fields), facts) : readTable(tableName(node.fields), facts);
    case 'TableLikeClause':
      return walkChildren(node, { ...context, tableAccess: 'read' });
    case 'FuncCall':
      callNode(node.fields, facts);
      return walkChildren(node, context);
    case 'A_Expr':
      if (!String(node.fields['kind']).includes('BETWEEN')) operator(namesOf(node.fields['name']), facts);
      return walkChildren(node, context);
    case 'SortBy':
      operator(namesOf(node.fields['useOp']), facts);
      return walkChildren(node, context);
    case 'SubLink':
      operator(namesOf(node.fields['operName']), facts);
      return walkChildren(node, context);
    case 'RangeTableSample':
      call(namesOf(node.fields['method']), [], facts);
      return walkChildren(node, context);
    default:
      if (PLAIN.has(node.tag)) return walkChildren(node, context);
      if (node.tag.endsWith('Stmt')) {
        statement(node, context);
        return;
      }
      facts.classes.add('postgres.unknown');
      facts.unresolved.add(`node:${node.tag}`);
      return walkChildren(node, context);
  }
}
