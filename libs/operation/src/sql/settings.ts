import type { PostgresClass } from './classes.js';

/** Settings that decide how the server cuts SQL text into tokens. If they change, we and the server read different statements. */
const PARSING = new Map<string, readonly string[]>([
  ['standard_conforming_strings', ['on', 'true', 'yes', '1', 't', 'y', 'tr', 'tru', 'ye']],
  ['client_encoding', ['utf8', 'unicode']],
  ['backslash_quote', ['safe_encoding']],
]);

/** Superuser settings that reach beyond the session's own behaviour: triggers and constraints off, libraries, what the server logs. */
const SERVER = new Set([
  'session_replication_role',
  'allow_system_table_mods',
  'dynamic_library_path',
  'extension_control_path',
  'local_preload_libraries',
  'session_preload_libraries',
  'shared_preload_libraries',
  'lo_compat_privileges',
  'zero_damaged_pages',
  'ignore_checksum_failure',
  'ignore_system_indexes',
  'ignore_invalid_pages',
  'createrole_self_grant',
]);

export interface SettingChange {
  /** Lower case: PostgreSQL compares names of settings without case, even quoted ones. */
  readonly name: string;
  readonly class: PostgresClass;
  readonly unresolved?: string;
}

/**
 * What changing a setting amounts to. `values` are its constants as written; undefined when they aren't constants;
 * null when it goes back to its default, which for parsing is not ours to know.
 */
export function settingChange(written: string, values: readonly string[] | null | undefined): SettingChange {
  const name = written.toLowerCase();
  if (name === 'role') return { name, class: 'postgres.privilege.set_role' };
  if (name === 'session_authorization') return { name, class: 'postgres.privilege.session_authorization' };
  const harmless = PARSING.get(name);
  if (harmless !== undefined) {
    const safe =
      values?.length === 1 &&
      harmless.includes(
        values[0]!
          .trim()
          .toLowerCase()
          .replace(/^utf[-_]8$/, 'utf8'),
      );
    return { name, class: safe ? 'postgres.session.set' : 'postgres.session.set_parsing' };
  }
  if (name === 'search_path') {
    const hidden = values === undefined || (values !== null && putsCatalogLater(values));
    return { name, class: 'postgres.session.set_path', ...(hidden ? { unresolved: 'setting:search_path' } : {}) };
  }
  if (SERVER.has(name) || name.startsWith('log_') || name.startsWith('debug_') || name.startsWith('trace_'))
    return { name, class: 'postgres.server.setting' };
  return { name, class: values === null ? 'postgres.session.reset' : 'postgres.session.set' };
}

/**
 * pg_catalog is searched first unless the path names it later: then somebody's `lower(text)` can stand before PostgreSQL's, and
 * what we know about built-in functions no longer holds. Values come as `SET search_path = a, b` or as one string `'a, b'`.
 */
function putsCatalogLater(values: readonly string[]): boolean {
  const path = values.flatMap((value) => value.split(',')).map((entry) => entry.trim().replace(/^"(.*)"$/, '$1'));
  const at = path.findIndex((entry) => entry.toLowerCase() === 'pg_catalog');
  return at > 0;
}
