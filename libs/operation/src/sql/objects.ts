import type { PostgresClass } from './classes.js';
import { type Context, walkChildren } from './context.js';
import { type Outcome, type Rule } from './rule.js';
import { writeTable } from './tables.js';
import { allAs, as, dotted, listOf, namesOf, stringOf, tagged, type Fields } from './tree.js';

/** Objects whose change is more than DDL of one schema. The rest is. */
const OBJECT_CLASSES: Readonly<Record<string, PostgresClass>> = {
  ROLE: 'postgres.privilege.role',
  POLICY: 'postgres.privilege.policy',
  DATABASE: 'postgres.server.database',
  TABLESPACE: 'postgres.server.tablespace',
  EXTENSION: 'postgres.server.extension',
  FDW: 'postgres.server.foreign',
  FOREIGN_SERVER: 'postgres.server.foreign',
  FOREIGN_TABLE: 'postgres.server.foreign',
  USER_MAPPING: 'postgres.server.foreign',
  PUBLICATION: 'postgres.server.publication',
  PUBLICATION_NAMESPACE: 'postgres.server.publication',
  PUBLICATION_REL: 'postgres.server.publication',
  SUBSCRIPTION: 'postgres.server.subscription',
  LANGUAGE: 'postgres.server.language',
  ACCESS_METHOD: 'postgres.server.access_method',
  EVENT_TRIGGER: 'postgres.server.event_trigger',
};

const objectOf = (type: unknown): string => String(type).replace(/^OBJECT_/, '');

export const objectClass = (type: unknown, otherwise: PostgresClass): PostgresClass => {
  const object = objectOf(type);
  return Object.hasOwn(OBJECT_CLASSES, object) ? OBJECT_CLASSES[object]! : otherwise;
};

const RELATIONS = new Set(['TABLE', 'VIEW', 'MATVIEW', 'FOREIGN_TABLE', 'SEQUENCE', 'INDEX']);
const ON_RELATIONS = new Set(['TRIGGER', 'RULE', 'POLICY', 'COLUMN', 'TABCONSTRAINT']);
const ROUTINES = new Set(['FUNCTION', 'PROCEDURE', 'ROUTINE', 'AGGREGATE']);

/** Names of objects stand as lists of strings: those that are tables, or are on one, become table facts. */
function namedTable(type: unknown, object: unknown, context: Context): void {
  const names = namesOf(as(object, 'List')?.['items'] ?? [object]);
  const kind = objectOf(type);
  const path = RELATIONS.has(kind) ? names : ON_RELATIONS.has(kind) ? names.slice(0, -1) : [];
  const name = path.at(-1);
  if (name !== undefined) writeTable({ schema: path.at(-2) ?? null, name }, context.facts);
  if (ROUTINES.has(kind)) context.facts.functions.add(dotted(namesOf(as(object, 'ObjectWithArgs')?.['objname'])));
}

export const drop: Rule = (fields, context) => {
  context.facts.classes.add('postgres.ddl.drop').add(objectClass(fields['removeType'], 'postgres.ddl.drop'));
  for (const object of listOf(fields['objects'])) namedTable(fields['removeType'], object, context);
  return { kind: `drop_${objectOf(fields['removeType']).toLowerCase()}` };
};

/** RENAME, SET SCHEMA, OWNER TO, DEPENDS ON, COMMENT, SECURITY LABEL: one object, whose type is a field. */
export function onObject(
  tag: string,
  kind: string,
  typeField: string,
  className: PostgresClass,
  routines: PostgresClass = className,
): Rule {
  return (fields, context): Outcome => {
    const type = fields[typeField];
    const otherwise = ROUTINES.has(objectOf(type)) ? routines : className;
    context.facts.classes.add(otherwise).add(objectClass(type, otherwise));
    namedTable(type, fields['object'], context);
    walkChildren({ tag, fields }, { ...context, tableAccess: 'write' });
    return { kind };
  };
}

const ALTER_PRIVILEGE: Readonly<Record<string, PostgresClass>> = {
  AT_ChangeOwner: 'postgres.privilege.owner',
  AT_EnableRowSecurity: 'postgres.privilege.policy',
  AT_DisableRowSecurity: 'postgres.privilege.policy',
  AT_ForceRowSecurity: 'postgres.privilege.policy',
  AT_NoForceRowSecurity: 'postgres.privilege.policy',
  AT_GenericOptions: 'postgres.server.foreign',
  AT_AlterColumnGenericOptions: 'postgres.server.foreign',
};

export const alterTable: Rule = (fields, context) => {
  context.facts.classes.add('postgres.ddl.alter');
  for (const command of listOf(fields['cmds'])) {
    const subtype = String(as(command, 'AlterTableCmd')?.['subtype']);
    if (Object.hasOwn(ALTER_PRIVILEGE, subtype)) context.facts.classes.add(ALTER_PRIVILEGE[subtype]!);
    // Switching triggers and rules off is how constraints and audits are switched off.
    if (/(?:Enable|Disable).*(?:Trig|Rule)/.test(subtype)) context.facts.classes.add('postgres.ddl.trigger');
  }
  walkChildren({ tag: 'AlterTableStmt', fields }, { ...context, tableAccess: 'write' });
  return { kind: `alter_${objectOf(fields['objtype']).toLowerCase()}` };
};

const KNOWN_LANGUAGES = new Set(['sql', 'plpgsql']);

/** CREATE FUNCTION: a body in a string is SQL that nobody has parsed. */
export const createFunction: Rule = (fields, context) => {
  const { facts } = context;
  facts.classes.add('postgres.ddl.routine');
  facts.functions.add(dotted(namesOf(fields['funcname'])));
  for (const option of allAs(fields['options'], 'DefElem')) {
    if (option['defname'] === 'as') facts.dynamic = true;
    if (option['defname'] === 'language') language(stringOf(option['arg']) ?? '', context);
  }
  walkChildren({ tag: 'CreateFunctionStmt', fields }, { ...context, tableAccess: 'write' });
  return { kind: fields['is_procedure'] === true ? 'create_procedure' : 'create_function' };
};

/** `c` and `internal` load code into the server; what isn't SQL or PL/pgSQL may reach the machine. */
function language(name: string, context: Context): void {
  const lower = name.toLowerCase();
  if (lower === 'c' || lower === 'internal') context.facts.classes.add('postgres.server.load');
  else if (!KNOWN_LANGUAGES.has(lower)) context.facts.classes.add('postgres.server.language');
}

export const createTrigger: Rule = (fields, context) => {
  context.facts.classes.add('postgres.ddl.trigger');
  context.facts.functions.add(dotted(namesOf(fields['funcname'])));
  walkChildren({ tag: 'CreateTrigStmt', fields }, { ...context, tableAccess: 'write' });
  return { kind: 'create_trigger' };
};

/** CREATE TABLE: what it inherits from, copies or references is read. */
export const createTable: Rule = (fields, context) => {
  context.facts.classes.add('postgres.ddl.create');
  const { inhRelations, ...rest }: Fields = fields;
  for (const parent of listOf(inhRelations)) {
    const node = tagged(parent);
    if (node !== undefined) context.visit(node, { ...context, tableAccess: 'read' });
  }
  walkChildren({ tag: 'CreateStmt', fields: rest }, { ...context, tableAccess: 'write' });
  return { kind: 'create_table' };
};
