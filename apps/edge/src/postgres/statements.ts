import { fromPostgres, type ParseLimits, type PostgresOperation } from '@sallyport/operation';
import { LRUCache } from 'lru-cache';

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
    this.#cache = new LRUCache({ maxSize: statementCacheMaxBytes, sizeCalculation: (_, text) => text.length * FACTS_PER_CHARACTER + 512 });
  }

  of(text: string): PostgresOperation {
    const known = this.#cache.get(text);
    if (known) return known;
    const operation = Object.freeze(fromPostgres(text, this.limits));
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
}

/** One thing asked: what the pipeline is given. */
export interface Asked extends Prepared {
  readonly parameters?: readonly (string | null)[];
  /** Other statements that the same name may stand for, or that an SQL EXECUTE names: masked as well as this one. */
  readonly also?: readonly Prepared[];
}

/** The facts of a statement together with those of others that may run in its place. */
export function together(operation: PostgresOperation, others: readonly Prepared[]): PostgresOperation {
  if (others.length === 0) return operation;
  const all = [operation, ...others.map((other) => other.operation)];
  return {
    ...operation,
    class: mostDemanding(all.map((one) => one.class)),
    classes: [...new Set(all.flatMap((one) => one.classes))].sort(),
    parseable: all.every((one) => one.parseable),
    fingerprint: all.map((one) => one.fingerprint).join('+'),
    statements: all.flatMap((one) => one.statements),
  };
}

/** Reads and session housekeeping overlap with their record; whatever may change something waits for it (P1). */
export function effectOf(operation: PostgresOperation): 'read' | 'write' {
  return operation.classes.every(isRead) ? 'read' : 'write';
}

function isRead(name: string): boolean {
  return name === 'postgres.read' || (name.startsWith('postgres.session.') && name !== 'postgres.session.notify');
}

function mostDemanding(classes: readonly string[]): string {
  return classes.find((name) => !isRead(name)) ?? classes.find((name) => name === 'postgres.read') ?? classes[0]!;
}

/** What an Execute of a portal that no Bind made asks for: a cursor that SQL declared. */
export function fetchFrom(portal: string): string {
  return `FETCH ALL FROM "${portal.replaceAll('"', '""')}"`;
}
