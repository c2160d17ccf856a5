import type { SqlStatement } from '../operation.js';
import type { PostgresClass } from './classes.js';
import { type Context, walkChildren } from './context.js';
import type { Fields } from './tree.js';

/** What a statement says about itself, beside the facts that the walk collects. */
export type Outcome = Pick<SqlStatement, 'kind'> & Partial<Pick<SqlStatement, 'name' | 'setting' | 'copy' | 'limit'>>;

/** Walks the statement, adds its classes to the facts, and says what it is. */
export type Rule = (fields: Fields, context: Context) => Outcome;

/** A statement of one class, whose tables it changes. */
export function changes(tag: string, kind: string, className: PostgresClass): Rule {
  return (fields, context) => {
    context.facts.classes.add(className);
    walkChildren({ tag, fields }, { ...context, tableAccess: 'write' });
    return { kind };
  };
}

/** A statement of one class that names no table, or only reads them. */
export function plain(tag: string, kind: string, className: PostgresClass): Rule {
  return (fields, context) => {
    context.facts.classes.add(className);
    walkChildren({ tag, fields }, { ...context, tableAccess: 'read' });
    return { kind };
  };
}

/** The name that a statement carries in a field, when it has one. */
export const named = (name: unknown): { name?: string } => (typeof name === 'string' ? { name } : {});
