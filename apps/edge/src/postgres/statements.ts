import {
  executedNames,
  fromPostgres,
  mostDemanding,
  type ParseLimits,
  type PostgresOperation,
  type SqlStatement,
  withExecuted,
} from '@sallyport/operation';
import { freezeDeep } from '@sallyport/verdict';
import { LRUCache } from 'lru-cache';
import type { Copies } from './exchanges.js';

/**
 * Statements by their text, parsed once for all sessions of an edge. Operations are frozen: who keeps facts about one
 * (its projection for the verdict cache, its mask plan) can key on the object.
 */
export class Statements {
  readonly #cache: LRUCache<string, PostgresOperation>;

  constructor(
    private readonly limits: ParseLimits,
    statementCacheMaxBytes: number,
  ) {
    this.#cache = new LRUCache({
      maxSize: statementCacheMaxBytes,
      sizeCalculation: (_, text) => text.length * FACTS_PER_CHARACTER + 512,
    });
  }

  of(text: string): PostgresOperation {
    const known = this.#cache.get(text);
    if (known) return known;
    const operation = freezeDeep(fromPostgres(text, this.limits));
    this.#cache.set(text, operation);
    return operation;
  }
}

/** What facts weigh in memory, roughly, for each character of their statement. */
const FACTS_PER_CHARACTER = 8;

/** A prepared statement, by protocol or by SQL: what it does and how it was written. */
export interface Prepared {
  readonly operation: PostgresOperation;
  readonly text: string;
  /** Named by SQL PREPARE: `text` is the whole string in which it stands. */
  readonly bySql?: boolean;
  /** Type OIDs that Parse declared; 0 leaves one to the target. */
  readonly parameterTypes: readonly number[];
}

/** One thing asked: what the pipeline is given. */
export interface Asked extends Prepared {
  readonly parameters?: readonly (string | null)[];
  /** Its name may stand for more than one statement: then it can't be said which columns come back. */
  readonly ambiguous?: boolean;
}

/** The facts of a statement together with those of others that may run in its place. */
export function together(operation: PostgresOperation, others: readonly Prepared[]): PostgresOperation {
  return others.length === 0 ? operation : combined([operation, ...others.map((other) => other.operation)]);
}

/**
 * SQL `EXECUTE name` is what it executes: the facts of everything that the name may stand for, those prepared earlier in the same
 * string too. A name that nobody knows stays unresolved.
 */
export function withPrepared(operation: PostgresOperation, lookup: (name: string) => readonly Prepared[]): PostgresOperation {
  const names = executedNames(operation);
  if (names.length === 0) return operation;
  const inString = operation.statements.filter(({ kind }) => kind === 'prepare');
  const prepared = new Map(
    names.map((name) => [
      name,
      [
        ...lookup(name).map((one) => one.operation),
        ...inString
          .filter((statement) => statement.name === name)
          .map((statement) => ({ ...operation, statements: [statement], classes: [statement.class] })),
      ],
    ]),
  );
  return freezeDeep(withExecuted(operation, prepared));
}

/**
 * SQL `FETCH FROM name` and `MOVE IN name` run a portal that the protocol bound as much as Execute does: what was bound is
 * judged with it.
 */
export function withPortals(operation: PostgresOperation, lookup: (name: string) => readonly Prepared[]): PostgresOperation {
  const names = operation.statements.flatMap(({ kind, name }) =>
    (kind === 'fetch' || kind === 'move') && name !== undefined ? [name] : [],
  );
  return together(operation, names.flatMap(lookup));
}

/** How often the target goes into copy mode for it. */
export function copiesOf({ statements }: PostgresOperation): Copies {
  const count = (where: SqlStatement['copy']): number => statements.filter(({ copy }) => copy === where).length;
  return { in: count('stdin'), out: count('stdout') };
}

function combined(all: readonly PostgresOperation[]): PostgresOperation {
  const classes = [...new Set(all.flatMap((one) => one.classes))].sort();
  return freezeDeep({
    kind: 'postgres',
    class: mostDemanding(classes),
    classes,
    parseable: all.every((one) => one.parseable),
    fingerprint: all.map((one) => one.fingerprint).join('+'),
    normalized: all[0]!.normalized,
    statements: all.flatMap((one) => one.statements),
  });
}

/** Reads and session housekeeping overlap with their record; whatever may change something waits for it (P1). */
export function effectOf(operation: PostgresOperation): 'read' | 'write' {
  return operation.classes.every(isRead) ? 'read' : 'write';
}

function isRead(name: string): boolean {
  return name === 'postgres.read' || (name.startsWith('postgres.session.') && name !== 'postgres.session.notify');
}

/** What an Execute of a portal that no Bind made asks for: a cursor that SQL declared. */
export function fetchFrom(portal: string): string {
  return `FETCH ALL FROM "${portal.replaceAll('"', '""')}"`;
}
