import type { Facts } from './facts.js';
import { functionEffect, isBuiltinOperator } from './functions.js';
import { settingChange, type SettingChange } from './settings.js';
import { as, constantOf, dotted, listOf, namesOf, textOf, type Fields } from './tree.js';

/** Records a call by name; the arguments matter for set_config alone. */
export function call(names: readonly string[], args: readonly unknown[], facts: Facts): void {
  facts.functions.add(dotted(names));
  const effect = functionEffect(names);
  if (effect === 'harmless') return;
  if (effect === 'setting') return setConfig(args, facts);
  facts.classes.add(effect.class);
  if (effect.dynamic === true) facts.dynamic = true;
}

export function callNode(fields: Fields, facts: Facts): void {
  const names = namesOf(fields['funcname']);
  // The grammar itself writes pg_catalog before EXTRACT, OVERLAY and their kind.
  call(fields['funcformat'] === 'COERCE_SQL_SYNTAX' ? names.slice(-1) : names, listOf(fields['args']), facts);
}

/** An operator that isn't PostgreSQL's own is somebody's function. */
export function operator(names: readonly string[], facts: Facts): void {
  if (names.length === 0 || isBuiltinOperator(names)) return;
  facts.classes.add('postgres.write.call');
  facts.unresolved.add(`operator:${dotted(names)}`);
}

export function recordSetting(change: SettingChange, facts: Facts): void {
  // The name is a fact that is recorded; in set_config it is any literal, so only what can be a setting's name is taken for one.
  if (/^[a-z_][a-z0-9_$]{0,62}(?:\.[a-z_][a-z0-9_$]{0,62}){0,3}$/.test(change.name)) facts.settings.add(change.name);
  facts.classes.add(change.class);
  if (change.unresolved !== undefined) facts.unresolved.add(change.unresolved);
}

/** set_config('role', …) is SET ROLE by another name; with a name that isn't a constant it may be any setting. */
function setConfig(args: readonly unknown[], facts: Facts): void {
  const argument = (name: string, position: number): unknown => {
    const named = args.map((arg) => as(arg, 'NamedArgExpr')).find((fields) => textOf(fields?.['name']) === name);
    if (named !== undefined) return named['arg'];
    return as(args[position], 'NamedArgExpr') === undefined ? args[position] : undefined;
  };
  const name = constantOf(argument('setting_name', 0));
  if (name?.kind !== 'string') {
    facts.classes.add('postgres.privilege.set_role').add('postgres.session.set_parsing');
    facts.unresolved.add('setting:set_config');
    return;
  }
  const value = constantOf(argument('new_value', 1));
  recordSetting(settingChange(name.value, value === undefined ? undefined : value.kind === 'null' ? null : [String(value.value)]), facts);
}
