import { IMMUTABLE, OPERATORS, STABLE, VOLATILE } from '../generated/builtins.js';
import type { PostgresClass } from './classes.js';

/**
 * What a call does, judged by its name. pg_catalog is searched before every other schema (unless search_path says otherwise, which is a
 * class of its own), so an unqualified built-in name is taken for the built-in. Known limit: PostgreSQL prefers an overload whose argument
 * types fit exactly, so a user's `lower(mytype)` on the path is called by `lower(x)` too; only the catalog can tell, and whoever has
 * one at hand should ask it. The same goes for casts to user types, which run their input function, for `table.function` as
 * attribute notation, for views, and for triggers.
 */
export type FunctionEffect = 'harmless' | 'setting' | { readonly class: PostgresClass; readonly dynamic?: true };

const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/));
const volatile = words(VOLATILE);
const builtins = new Set([...volatile, ...words(STABLE), ...words(IMMUTABLE)]);
const operators = words(OPERATORS);

/** Volatile, but without an effect that outlives the call: clocks, dice, sizes, what the session itself did. */
const HARMLESS = words(`
  array_sample array_shuffle bernoulli clock_timestamp current_query currval gen_random_uuid lastval
  pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared pg_blocking_pids pg_collation_actual_version
  pg_database_collation_actual_version pg_database_size pg_indexes_size pg_is_in_recovery pg_jit_available
  pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_current_wal_lsn pg_current_wal_insert_lsn
  pg_current_wal_flush_lsn pg_notification_queue_usage pg_partition_ancestors pg_partition_tree pg_relation_size
  pg_sequence_last_value pg_get_sequence_data pg_sleep pg_sleep_for pg_sleep_until pg_table_size pg_tablespace_size pg_total_relation_size
  pg_lock_status pg_safe_snapshot_blocking_pids pg_stat_have_stats pg_xact_commit_timestamp random random_normal setseed system
  timeofday uuidv4 uuidv7
`);

/** Built-ins and well-known extensions that take SQL, or the name of a table or cursor, as a string. */
const DYNAMIC = words(`
  query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema
  table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
  database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite
  crosstab crosstab2 crosstab3 crosstab4 crosstabn connectby xpath_table plpgsql_inline_handler fmgr_sql_validator
  run_command_on_workers run_command_on_shards run_command_on_all_nodes
`);
const DYNAMIC_PREFIXES = ['dblink', 'cron.', 'pgagent.', 'plv8_', 'pg_background_'];

/** Reaches the server's files, its other sessions, its configuration, its log, replication or the catalog behind everybody's back. */
const SERVER = words(`
  lo_import lo_export pg_cancel_backend pg_terminate_backend pg_reload_conf pg_rotate_logfile pg_promote pg_switch_wal
  pg_create_restore_point pg_current_logfile pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings pg_stat_file
  pg_log_backend_memory_contexts pg_log_standby_snapshot pg_import_system_collations pg_extension_config_dump pg_export_snapshot
  pg_sync_replication_slots pg_clear_attribute_stats pg_clear_relation_stats pg_restore_attribute_stats pg_restore_relation_stats
  pg_nextoid pg_stop_making_pinned_objects pg_get_loaded_modules pg_get_shmem_allocations pg_get_shmem_allocations_numa
  pg_get_backend_memory_contexts pg_execute_server_program pg_prepared_xact pg_set_attribute_stats pg_set_relation_stats
`);
const SERVER_PREFIXES = [
  'binary_upgrade_',
  'pg_read_',
  'pg_ls_',
  'pg_logical_',
  'pg_replication_',
  'pg_create_logical_',
  'pg_create_physical_',
  'pg_copy_logical_',
  'pg_copy_physical_',
  'pg_drop_replication_',
  'pg_backup_',
  'pg_start_backup',
  'pg_stop_backup',
  'pg_wal_',
  'pg_walfile_',
  'pg_get_wal_',
  'pg_available_wal_',
  'pg_control_',
  'pg_stat_reset',
  'pg_file_',
  'pg_event_trigger_',
];
/** Immutable arithmetic on names and positions that the prefixes above would catch. */
const NOT_SERVER = words('pg_walfile_name pg_walfile_name_offset pg_split_walfile_name pg_wal_lsn_diff');

const LOCKS = ['pg_advisory_lock', 'pg_advisory_xact_lock', 'pg_try_advisory_'];

/** True if PostgreSQL 18 comes with a function of this name: `lower` or `pg_catalog.lower`. */
export function isBuiltinFunction(names: readonly string[]): boolean {
  const schema = names.length === 1 ? 'pg_catalog' : names.length === 2 ? names[0] : undefined;
  return schema === 'pg_catalog' && builtins.has(names.at(-1)!);
}

/** `OPERATOR(schema.+)` is PostgreSQL's own only in pg_catalog. */
export function isBuiltinOperator(names: readonly string[]): boolean {
  const schema = names.length === 1 ? 'pg_catalog' : names.length === 2 ? names[0] : undefined;
  return schema === 'pg_catalog' && operators.has(names.at(-1)!);
}

/** The dangerous names count under any schema: extensions are installed anywhere. */
export function functionEffect(names: readonly string[]): FunctionEffect {
  const name = names.at(-1) ?? '';
  const full = names.join('.');
  if (DYNAMIC.has(name) || DYNAMIC_PREFIXES.some((prefix) => name.startsWith(prefix) || full.startsWith(prefix))) {
    return { class: 'postgres.dynamic.function', dynamic: true };
  }
  const builtin = isBuiltinFunction(names);
  if (builtin && name === 'set_config') return 'setting';
  if (SERVER.has(name) || (SERVER_PREFIXES.some((prefix) => name.startsWith(prefix)) && !NOT_SERVER.has(name))) {
    return { class: 'postgres.server.function' };
  }
  if (!builtin) return { class: 'postgres.write.call' };
  if (name === 'pg_notify') return { class: 'postgres.session.notify' };
  if (LOCKS.some((prefix) => name.startsWith(prefix))) return { class: 'postgres.write.lock' };
  return !volatile.has(name) || HARMLESS.has(name) || name.startsWith('pg_stat_get_') ? 'harmless' : { class: 'postgres.write.call' };
}
