/**
 * What every statement of PostgreSQL's grammar is. The table is total: a statement that a new grammar brings doesn't compile until
 * somebody says what it is, and at run time it is `postgres.unknown`.
 */
import type { StatementTag } from '../generated/nodes.js';
import type { Context } from './context.js';
import { alterTable, createFunction, createTable, createTrigger, drop, onObject } from './objects.js';
import { changes, named, type Outcome, plain, type Rule } from './rule.js';
import { listOf, tagged, type Tagged } from './tree.js';
import {
  callProcedure,
  copy,
  createTableAs,
  declareCursor,
  dml,
  doBlock,
  execute,
  explain,
  fetch,
  lockTable,
  prepare,
  select,
  set,
  show,
  stored,
  transaction,
} from './utility.js';

const unknown: Rule = (_fields, context) => {
  context.facts.classes.add('postgres.unknown');
  return { kind: 'unknown' };
};

const revocable =
  (tag: string, grantKind: string, revokeKind: string): Rule =>
  (fields, context) =>
    fields['is_grant'] === true
      ? changes(tag, grantKind, 'postgres.privilege.grant')(fields, context)
      : changes(tag, revokeKind, 'postgres.privilege.revoke')(fields, context);

const cursorOrStatement =
  (kind: string, className: 'postgres.session.close' | 'postgres.session.deallocate', field: string): Rule =>
  (fields, context) => {
    context.facts.classes.add(className);
    return { kind, ...named(fields[field]) };
  };

const channel =
  (kind: 'listen' | 'unlisten' | 'notify'): Rule =>
  (fields, context) => {
    context.facts.classes.add(`postgres.session.${kind}`);
    return { kind, ...named(fields['conditionname']) };
  };

const vacuum: Rule = (fields, context) =>
  fields['is_vacuumcmd'] === true
    ? changes('VacuumStmt', 'vacuum', 'postgres.maintenance.vacuum')(fields, context)
    : plain('VacuumStmt', 'analyze', 'postgres.maintenance.analyze')(fields, context);

/** DISCARD ALL drops prepared statements, DISCARD PLANS does not: `name` says which. */
const discard: Rule = (fields, context) => {
  context.facts.classes.add('postgres.session.discard');
  return { kind: 'discard', name: String(fields['target']).replace('DISCARD_', '').toLowerCase() };
};

/** VACUUM (ANALYZE) and its kin carry options only; CREATE SCHEMA carries statements. */
const createSchema: Rule = (fields, context) => {
  context.facts.classes.add('postgres.ddl.create');
  for (const element of listOf(fields['schemaElts'])) {
    const node = tagged(element);
    if (node !== undefined) context.visit(node, { ...context, tableAccess: 'write' });
  }
  return { kind: 'create_schema' };
};

const createForeignTable: Rule = (fields, context) => {
  context.facts.classes.add('postgres.server.foreign');
  createTable((fields['base'] ?? {}) as Tagged['fields'], context);
  return { kind: 'create_foreign_table' };
};

const alterDefault: Rule = (fields, context) => {
  context.facts.classes.add('postgres.privilege.default');
  context.facts.classes.add(
    (fields['action'] as Tagged['fields'] | undefined)?.['is_grant'] === true ? 'postgres.privilege.grant' : 'postgres.privilege.revoke',
  );
  return { kind: 'alter_default_privileges' };
};

/** DEFINE covers aggregates, operators, types, text search and collations; an aggregate is a routine. */
const define: Rule = (fields, context) =>
  fields['kind'] === 'OBJECT_AGGREGATE'
    ? changes('DefineStmt', 'create_aggregate', 'postgres.ddl.routine')(fields, context)
    : changes('DefineStmt', 'define', 'postgres.ddl.create')(fields, context);

const dropOwned: Rule = (fields, context) => {
  context.facts.classes.add('postgres.ddl.drop');
  return changes('DropOwnedStmt', 'drop_owned', 'postgres.privilege.owner')(fields, context);
};

export const RULES: Readonly<Record<StatementTag, Rule>> = {
  // Only inside other nodes, only after analysis, or only in PL/pgSQL: at the top none of these is a statement.
  RawStmt: unknown,
  SetOperationStmt: unknown,
  ReturnStmt: unknown,
  PLAssignStmt: unknown,
  ReplicaIdentityStmt: unknown,

  SelectStmt: select,
  InsertStmt: dml('InsertStmt', 'insert'),
  UpdateStmt: dml('UpdateStmt', 'update'),
  DeleteStmt: dml('DeleteStmt', 'delete'),
  MergeStmt: dml('MergeStmt', 'merge'),
  CopyStmt: copy,
  TruncateStmt: changes('TruncateStmt', 'truncate', 'postgres.write.truncate'),
  LockStmt: lockTable,
  CallStmt: callProcedure,
  RefreshMatViewStmt: changes('RefreshMatViewStmt', 'refresh_matview', 'postgres.write.refresh'),
  DoStmt: doBlock,

  ExplainStmt: explain,
  PrepareStmt: prepare,
  ExecuteStmt: execute,
  DeallocateStmt: cursorOrStatement('deallocate', 'postgres.session.deallocate', 'name'),
  DeclareCursorStmt: declareCursor,
  FetchStmt: fetch,
  ClosePortalStmt: cursorOrStatement('close', 'postgres.session.close', 'portalname'),

  TransactionStmt: transaction,
  VariableSetStmt: set,
  VariableShowStmt: show,
  ConstraintsSetStmt: plain('ConstraintsSetStmt', 'set_constraints', 'postgres.session.set'),
  DiscardStmt: discard,
  ListenStmt: channel('listen'),
  UnlistenStmt: channel('unlisten'),
  NotifyStmt: channel('notify'),

  CreateStmt: createTable,
  CreateTableAsStmt: createTableAs,
  CreateSchemaStmt: createSchema,
  ViewStmt: stored('create_view', 'postgres.ddl.create', 'view', ['query']),
  RuleStmt: stored('create_rule', 'postgres.ddl.rule', 'relation', ['whereClause', 'actions']),
  CreateTrigStmt: createTrigger,
  CreateFunctionStmt: createFunction,
  AlterFunctionStmt: changes('AlterFunctionStmt', 'alter_function', 'postgres.ddl.routine'),
  IndexStmt: changes('IndexStmt', 'create_index', 'postgres.ddl.index'),
  CreateSeqStmt: changes('CreateSeqStmt', 'create_sequence', 'postgres.ddl.create'),
  AlterSeqStmt: changes('AlterSeqStmt', 'alter_sequence', 'postgres.ddl.alter'),
  DefineStmt: define,
  CreateDomainStmt: changes('CreateDomainStmt', 'create_domain', 'postgres.ddl.create'),
  CreateEnumStmt: changes('CreateEnumStmt', 'create_type', 'postgres.ddl.create'),
  CreateRangeStmt: changes('CreateRangeStmt', 'create_type', 'postgres.ddl.create'),
  CompositeTypeStmt: changes('CompositeTypeStmt', 'create_type', 'postgres.ddl.create'),
  CreateOpClassStmt: changes('CreateOpClassStmt', 'create_operator_class', 'postgres.ddl.create'),
  CreateOpFamilyStmt: changes('CreateOpFamilyStmt', 'create_operator_family', 'postgres.ddl.create'),
  CreateStatsStmt: plain('CreateStatsStmt', 'create_statistics', 'postgres.ddl.create'),
  CreateConversionStmt: changes('CreateConversionStmt', 'create_conversion', 'postgres.ddl.create'),
  CreateCastStmt: changes('CreateCastStmt', 'create_cast', 'postgres.ddl.create'),
  CreateTransformStmt: changes('CreateTransformStmt', 'create_transform', 'postgres.ddl.create'),
  AlterTableStmt: alterTable,
  AlterCollationStmt: changes('AlterCollationStmt', 'alter_collation', 'postgres.ddl.alter'),
  AlterDomainStmt: changes('AlterDomainStmt', 'alter_domain', 'postgres.ddl.alter'),
  AlterOpFamilyStmt: changes('AlterOpFamilyStmt', 'alter_operator_family', 'postgres.ddl.alter'),
  AlterStatsStmt: changes('AlterStatsStmt', 'alter_statistics', 'postgres.ddl.alter'),
  AlterOperatorStmt: changes('AlterOperatorStmt', 'alter_operator', 'postgres.ddl.alter'),
  AlterTypeStmt: changes('AlterTypeStmt', 'alter_type', 'postgres.ddl.alter'),
  AlterEnumStmt: changes('AlterEnumStmt', 'alter_type', 'postgres.ddl.alter'),
  AlterTSDictionaryStmt: changes('AlterTSDictionaryStmt', 'alter_text_search', 'postgres.ddl.alter'),
  AlterTSConfigurationStmt: changes('AlterTSConfigurationStmt', 'alter_text_search', 'postgres.ddl.alter'),
  RenameStmt: onObject('RenameStmt', 'rename', 'renameType', 'postgres.ddl.alter', 'postgres.ddl.routine'),
  AlterObjectDependsStmt: onObject('AlterObjectDependsStmt', 'alter_depends', 'objectType', 'postgres.ddl.alter', 'postgres.ddl.routine'),
  AlterObjectSchemaStmt: onObject('AlterObjectSchemaStmt', 'set_schema', 'objectType', 'postgres.ddl.alter', 'postgres.ddl.routine'),
  CommentStmt: onObject('CommentStmt', 'comment', 'objtype', 'postgres.ddl.comment'),
  DropStmt: drop,
  DropOwnedStmt: dropOwned,

  GrantStmt: revocable('GrantStmt', 'grant', 'revoke'),
  GrantRoleStmt: revocable('GrantRoleStmt', 'grant_role', 'revoke_role'),
  AlterDefaultPrivilegesStmt: alterDefault,
  CreateRoleStmt: plain('CreateRoleStmt', 'create_role', 'postgres.privilege.role'),
  AlterRoleStmt: plain('AlterRoleStmt', 'alter_role', 'postgres.privilege.role'),
  AlterRoleSetStmt: plain('AlterRoleSetStmt', 'alter_role_set', 'postgres.privilege.role'),
  DropRoleStmt: plain('DropRoleStmt', 'drop_role', 'postgres.privilege.role'),
  CreatePolicyStmt: changes('CreatePolicyStmt', 'create_policy', 'postgres.privilege.policy'),
  AlterPolicyStmt: changes('AlterPolicyStmt', 'alter_policy', 'postgres.privilege.policy'),
  AlterOwnerStmt: onObject('AlterOwnerStmt', 'alter_owner', 'objectType', 'postgres.privilege.owner'),
  ReassignOwnedStmt: plain('ReassignOwnedStmt', 'reassign_owned', 'postgres.privilege.owner'),
  SecLabelStmt: onObject('SecLabelStmt', 'security_label', 'objtype', 'postgres.privilege.security_label'),

  CreateTableSpaceStmt: plain('CreateTableSpaceStmt', 'create_tablespace', 'postgres.server.tablespace'),
  DropTableSpaceStmt: plain('DropTableSpaceStmt', 'drop_tablespace', 'postgres.server.tablespace'),
  AlterTableSpaceOptionsStmt: plain('AlterTableSpaceOptionsStmt', 'alter_tablespace', 'postgres.server.tablespace'),
  AlterTableMoveAllStmt: plain('AlterTableMoveAllStmt', 'move_all', 'postgres.server.tablespace'),
  CreateExtensionStmt: plain('CreateExtensionStmt', 'create_extension', 'postgres.server.extension'),
  AlterExtensionStmt: plain('AlterExtensionStmt', 'alter_extension', 'postgres.server.extension'),
  AlterExtensionContentsStmt: plain('AlterExtensionContentsStmt', 'alter_extension', 'postgres.server.extension'),
  CreateFdwStmt: plain('CreateFdwStmt', 'create_foreign_data_wrapper', 'postgres.server.foreign'),
  AlterFdwStmt: plain('AlterFdwStmt', 'alter_foreign_data_wrapper', 'postgres.server.foreign'),
  CreateForeignServerStmt: plain('CreateForeignServerStmt', 'create_server', 'postgres.server.foreign'),
  AlterForeignServerStmt: plain('AlterForeignServerStmt', 'alter_server', 'postgres.server.foreign'),
  CreateForeignTableStmt: createForeignTable,
  CreateUserMappingStmt: plain('CreateUserMappingStmt', 'create_user_mapping', 'postgres.server.foreign'),
  AlterUserMappingStmt: plain('AlterUserMappingStmt', 'alter_user_mapping', 'postgres.server.foreign'),
  DropUserMappingStmt: plain('DropUserMappingStmt', 'drop_user_mapping', 'postgres.server.foreign'),
  ImportForeignSchemaStmt: changes('ImportForeignSchemaStmt', 'import_foreign_schema', 'postgres.server.foreign'),
  CreateAmStmt: plain('CreateAmStmt', 'create_access_method', 'postgres.server.access_method'),
  CreateEventTrigStmt: plain('CreateEventTrigStmt', 'create_event_trigger', 'postgres.server.event_trigger'),
  AlterEventTrigStmt: plain('AlterEventTrigStmt', 'alter_event_trigger', 'postgres.server.event_trigger'),
  CreatePLangStmt: plain('CreatePLangStmt', 'create_language', 'postgres.server.language'),
  LoadStmt: plain('LoadStmt', 'load', 'postgres.server.load'),
  CreatedbStmt: plain('CreatedbStmt', 'create_database', 'postgres.server.database'),
  AlterDatabaseStmt: plain('AlterDatabaseStmt', 'alter_database', 'postgres.server.database'),
  AlterDatabaseRefreshCollStmt: plain('AlterDatabaseRefreshCollStmt', 'alter_database', 'postgres.server.database'),
  AlterDatabaseSetStmt: plain('AlterDatabaseSetStmt', 'alter_database_set', 'postgres.server.database'),
  DropdbStmt: plain('DropdbStmt', 'drop_database', 'postgres.server.database'),
  AlterSystemStmt: plain('AlterSystemStmt', 'alter_system', 'postgres.server.alter_system'),
  CheckPointStmt: plain('CheckPointStmt', 'checkpoint', 'postgres.server.checkpoint'),
  CreatePublicationStmt: plain('CreatePublicationStmt', 'create_publication', 'postgres.server.publication'),
  AlterPublicationStmt: plain('AlterPublicationStmt', 'alter_publication', 'postgres.server.publication'),
  CreateSubscriptionStmt: plain('CreateSubscriptionStmt', 'create_subscription', 'postgres.server.subscription'),
  AlterSubscriptionStmt: plain('AlterSubscriptionStmt', 'alter_subscription', 'postgres.server.subscription'),
  DropSubscriptionStmt: plain('DropSubscriptionStmt', 'drop_subscription', 'postgres.server.subscription'),

  VacuumStmt: vacuum,
  ClusterStmt: changes('ClusterStmt', 'cluster', 'postgres.maintenance.cluster'),
  ReindexStmt: changes('ReindexStmt', 'reindex', 'postgres.maintenance.reindex'),
};

/** Judges one statement, at the top or inside another. */
export function statement(node: Tagged, context: Context): Outcome {
  const rule: Rule | undefined = Object.hasOwn(RULES, node.tag) ? RULES[node.tag as StatementTag] : undefined;
  if (rule !== undefined) return rule(node.fields, context);
  context.facts.unresolved.add(`node:${node.tag}`);
  return unknown(node.fields, context);
}
