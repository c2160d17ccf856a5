/** Something in FROM, or the target of a write. */
export interface Relation {
  /** The name that qualified columns use; null when a join's own alias hides it. */
  readonly alias: string | null;
  /** The base table as written (`schema.name` or `name`); null for subqueries, CTEs, functions. */
  readonly table: string | null;
  /** `customers AS c(a, b)`: its column names aren't the table's. */
  readonly renamed: boolean;
  /** EXCLUDED: rows that the statement itself proposes, nothing that is stored. */
  readonly proposed?: boolean;
  /** Reached by its name only: EXCLUDED, OLD, NEW, a join's alias. Unqualified names and star pass it by. */
  readonly byNameOnly?: boolean;
  /** What a write changes: reading its columns makes it a read of the table too. */
  readonly onRead?: () => void;
}

export const derived = (alias: string | null): Relation => ({ alias, table: null, renamed: false });

/**
 * The relations that one query level can name, inside the ones around it. A hostile statement has tens of thousands of relations and as many
 * columns, so nothing here looks at all relations for one column.
 */
export class Scope {
  readonly #relations: Relation[] = [];
  readonly #aliases = new Map<string, Relation>();
  readonly #renamed = new Set<string>();
  readonly #hooks: (() => void)[] = [];
  readonly #starred = new Map<string, number>();
  /** How many relations an unqualified name may belong to; the first of them. */
  #candidates = 0;
  #first: Relation | undefined;

  /** This level, then the ones around it. */
  readonly #levels: readonly Scope[];

  constructor(readonly parent: Scope | null) {
    this.#levels = parent === null ? [this] : [this, ...parent.#levels];
  }

  add(...relations: readonly Relation[]): void {
    for (const relation of relations) {
      this.#relations.push(relation);
      if (relation.alias !== null && !this.#aliases.has(relation.alias)) this.#aliases.set(relation.alias, relation);
      if (relation.onRead !== undefined) this.#hooks.push(relation.onRead);
      if (relation.byNameOnly === true) continue;
      if (relation.renamed && relation.table !== null) this.#renamed.add(relation.table);
      this.#candidates++;
      this.#first ??= relation;
    }
  }

  get size(): number {
    return this.#relations.length;
  }

  get relations(): readonly Relation[] {
    return this.#relations;
  }

  /** Takes the names of the relations from `start` on out of sight: a join's alias covers them. */
  hide(start: number): void {
    for (let i = start; i < this.#relations.length; i++) {
      const relation = this.#relations[i]!;
      if (relation.alias !== null && this.#aliases.get(relation.alias) === relation) this.#aliases.delete(relation.alias);
      this.#relations[i] = { ...relation, alias: null };
    }
  }

  byAlias(alias: string): Relation | undefined {
    return this.#aliases.get(alias) ?? this.parent?.byAlias(alias);
  }

  /** `schema.table.column` finds the table under either spelling, unless it has another alias. */
  byTable(schema: string, name: string): Relation | undefined {
    const relation = this.#aliases.get(name);
    if (relation !== undefined && (relation.table === `${schema}.${name}` || relation.table === name)) return relation;
    return this.parent?.byTable(schema, name);
  }

  /** The relation that every unqualified name must belong to; undefined when there is more than one, or none. */
  only(): Relation | undefined {
    let count = 0;
    let first: Relation | undefined;
    for (const scope of this.#levels) {
      count += scope.#candidates;
      first ??= scope.#first;
      if (count > 1) return undefined;
    }
    return first;
  }

  /** Tables in reach whose columns go by other names, each told once: who reads a column by its name may read any of theirs. */
  renamedTables(): string[] {
    const found: string[] = [];
    for (const scope of this.#levels) {
      found.push(...scope.#renamed);
      scope.#renamed.clear();
    }
    return found;
  }

  /** A column was read, and may be any relation's: tells the targets of writes. Once is enough. */
  read(): void {
    for (const scope of this.#levels) for (const hook of scope.#hooks.splice(0)) hook();
  }

  /** The relations of this level that a star covers; empty when that star has been read already. */
  star(place: string): readonly Relation[] {
    if (this.#starred.get(place) === this.#relations.length) return [];
    this.#starred.set(place, this.#relations.length);
    return this.#relations.filter((relation) => relation.byNameOnly !== true);
  }
}

/** The CTE names of one WITH, inside the ones around it. */
export interface CteFrame {
  readonly names: Set<string>;
  readonly parent: CteFrame | null;
}

export function isCte(frame: CteFrame | null, name: string): boolean {
  for (let at = frame; at !== null; at = at.parent) if (at.names.has(name)) return true;
  return false;
}
