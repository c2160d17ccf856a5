import type { ColumnUse, TableUse } from '../operation.js';
import type { PostgresClass } from './classes.js';
import type { Lock } from './locks.js';
import { strongest } from './locks.js';

/** Collects what the walk over one statement finds. */
export class Facts {
  readonly classes = new Set<PostgresClass>();
  readonly functions = new Set<string>();
  readonly unresolved = new Set<string>();
  readonly settings = new Set<string>();
  readonly #tables = new Map<string, TableUse>();
  readonly #columns = new Map<string, ColumnUse>();
  #lock: Lock | null = null;
  #hasWhere: boolean | null = null;
  dynamic = false;

  table(schema: string | null, name: string, access: TableUse['access']): void {
    this.#tables.set(JSON.stringify([schema, name, access]), { schema, name, access });
  }

  column(table: string | null, name: string, access: ColumnUse['access'], place: ColumnUse['place']): void {
    this.#columns.set(JSON.stringify([table, name, access, place]), { table, name, access, place });
  }

  lock(lock: Lock): void {
    this.#lock = strongest(this.#lock, lock);
  }

  /** One more update or delete, with or without a WHERE that selects: all of them must. */
  where(selects: boolean): void {
    this.#hasWhere = selects && this.#hasWhere !== false;
  }

  get locks(): Lock | null {
    return this.#lock;
  }

  get hasWhere(): boolean | null {
    return this.#hasWhere;
  }

  get tables(): TableUse[] {
    return inOrder(this.#tables);
  }

  get columns(): ColumnUse[] {
    return inOrder(this.#columns);
  }
}

/** Sorted by key, so that equal statements have equal facts however they were walked. */
function inOrder<Value>(map: ReadonlyMap<string, Value>): Value[] {
  return [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
