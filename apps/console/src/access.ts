import { type ConsoleAction, type ConsoleQuestion, type Engine, mayInConsole } from '@sallyport/verdict';
import { ProblemError } from './http/problem.js';
import type { Caller } from './http/request.js';
import type { Page, PageQuery } from './store.port.js';

type Target = NonNullable<ConsoleQuestion['target']>;

/** Policy on one thing. @throws ProblemError FORBIDDEN, with policy's reason */
export function demand(engine: Engine, { principal }: Caller, action: ConsoleAction, target?: Target): 'all' | 'own' {
  const answer = mayInConsole(engine, { principal, action, ...(target === undefined ? {} : { target }) });
  if (!answer.allow || answer.scope === 'none') throw new ProblemError('FORBIDDEN', answer.reasons.join(' ') || 'policy does not allow it');
  return answer.scope;
}

/**
 * As {@link demand} for a thing that somebody may not even know of: not there and not theirs look the same, so that ids can't be
 * guessed at.
 */
export function demandRow<Row>(
  engine: Engine,
  caller: Caller,
  action: ConsoleAction,
  row: Row | null,
  targetOf: (row: Row) => Target,
  what: string,
): Row {
  const missing = new ProblemError('NOT_FOUND', `there is no such ${what}, or it is not yours to see`);
  if (row === null) {
    demand(engine, caller, action);
    throw missing;
  }
  if (!mayInConsole(engine, { principal: caller.principal, action, target: targetOf(row) }).allow) throw missing;
  return row;
}

export interface VisibleQuery<Row> {
  readonly engine: Engine;
  readonly caller: Caller;
  readonly action: ConsoleAction;
  readonly page: PageQuery & { readonly limit: number };
  readonly scanMaxRows: number;
  readonly read: (page: PageQuery & { readonly limit: number }) => Promise<Page<Row>>;
  readonly targetOf: (row: Row) => Target;
}

/**
 * One page of what the caller may see. With scope `own` each row is asked about by itself, and further pages are read until this
 * one is full, there is nothing left, or `scanMaxRows` were looked at: then it is short and `next` goes on from there.
 */
export async function visible<Row>({ engine, caller, action, page, scanMaxRows, read, targetOf }: VisibleQuery<Row>): Promise<Page<Row>> {
  if (demand(engine, caller, action) === 'all') return read(page);
  const rows: Row[] = [];
  let cursor = page.cursor;
  let scanned = 0;
  for (;;) {
    // Never more than still fit, so that no row that may be seen falls between two pages.
    const found = await read({ limit: page.limit - rows.length, ...(cursor === undefined ? {} : { cursor }) });
    scanned += found.rows.length;
    rows.push(...found.rows.filter((row) => mayInConsole(engine, { principal: caller.principal, action, target: targetOf(row) }).allow));
    if (found.next === null || rows.length >= page.limit || scanned >= scanMaxRows) return { rows, next: found.next };
    cursor = found.next;
  }
}
