import type { PostgresOperation, SqlStatement } from './operation.js';
import { mostDemanding, type PostgresClass } from './sql/classes.js';
import type { Context } from './sql/context.js';
import { Facts } from './sql/facts.js';
import { fingerprintOf } from './sql/fingerprint.js';
import { normalise } from './sql/normalise.js';
import { type ParseLimits, parseSql, type SqlProblem, UnparseableSqlError } from './sql/parse.js';
import { statement } from './sql/statements.js';
import { tagged } from './sql/tree.js';
import { walk } from './sql/walk.js';

/**
 * SQL text → the facts that policy judges. A pure function of the text: equal texts give equal operations, so callers may cache by
 * text. Never throws: what can't be read is `postgres.unparseable` with its problem. Needs `loadParser()` to have finished.
 */
export function fromPostgres(sql: string, limits?: ParseLimits): PostgresOperation {
  try {
    const parsed = parseSql(sql, limits);
    const found = parsed.statements.map(({ node }) => statementFacts(node));
    const classes = new Set(found.flatMap(({ classes }) => classes));
    if (found.length === 0) classes.add('postgres.session.empty');
    const normalized = normalise(parsed);
    return {
      kind: 'postgres',
      class: mostDemanding(classes),
      classes: [...classes].sort(),
      parseable: true,
      fingerprint: fingerprintOf(normalized),
      normalized,
      statements: found.map(({ statement }) => statement),
    };
  } catch (error) {
    return unparseable(error);
  }
}

function unparseable(error: unknown): PostgresOperation {
  let problem: SqlProblem = 'parser_failed';
  let reason = 'the statement could not be judged';
  if (error instanceof UnparseableSqlError) ({ problem, message: reason } = error);
  // Our own walk ran out of stack: the nesting bound was set higher than it can carry.
  else if (error instanceof RangeError) [problem, reason] = ['too_deep', 'nests too deep'];
  else throw error;
  return {
    kind: 'postgres',
    class: 'postgres.unparseable',
    classes: ['postgres.unparseable'],
    parseable: false,
    fingerprint: '',
    normalized: '',
    statements: [],
    problem: `${problem}: ${reason}`,
  };
}

function statementFacts(node: unknown): { statement: SqlStatement; classes: readonly PostgresClass[] } {
  const facts = new Facts();
  const context: Context = { facts, scope: null, ctes: null, tableAccess: 'read', visit: walk };
  const { kind, ...named } = statement(tagged(node) ?? { tag: '?', fields: {} }, context);
  // Never nothing: a statement that no rule has classed is one that nobody has judged.
  if (facts.classes.size === 0) facts.classes.add('postgres.unknown');
  const setting = named.setting ?? (facts.settings.size === 1 ? [...facts.settings][0] : undefined);
  return {
    classes: [...facts.classes],
    statement: {
      kind,
      class: mostDemanding(facts.classes),
      tables: facts.tables,
      columns: facts.columns,
      functions: [...facts.functions].sort(),
      hasWhere: facts.hasWhere,
      locks: facts.locks,
      dynamic: facts.dynamic,
      unresolved: [...facts.unresolved].sort(),
      ...named,
      ...(setting === undefined ? {} : { setting }),
    },
  };
}
