import type { MaskRule, MaskWay } from '@sallyport/verdict';

import type { ColumnName, LocatedColumn } from './catalog.port.js';

/** A column whose values are masked wherever its table OID and attribute number appear. */
export interface MaskedColumn {
  /** `schema.table.column` as the rule says it. */
  readonly column: string;
  readonly way: MaskWay;
}

export type MaskedColumns = ReadonlyMap<string, MaskedColumn>;

export interface MaskIndex {
  readonly columns: Map<string, MaskedColumn>;
  readonly tables: ReadonlySet<number>;
  /** Bare names of everything that leads to a masked table: itself, its family, views upon it. */
  readonly names: ReadonlySet<string>;
  /** Rules that can't be applied, because what they name isn't there. */
  readonly dangling: readonly { readonly column: string; readonly missing: 'table' | 'column' | 'name' }[];
}

export function columnKey(table: number, attribute: number): string {
  return `${table}:${attribute}`;
}

/** `schema.table.column`, each part plain or in double quotes. Undefined when it isn't that. */
export function parseColumnName(text: string): ColumnName | undefined {
  const parts = [...text.matchAll(/(?:^|\.)(?:"((?:[^"]|"")+)"|([^".]+))/gy)].map((m) => m[1]?.replaceAll('""', '"') ?? m[2]);
  const whole = [...text.matchAll(/(?:^|\.)(?:"((?:[^"]|"")+)"|([^".]+))/gy)].map((m) => m[0]).join('');
  const [schema, table, column] = parts;
  if (whole !== text || parts.length !== 3 || !schema || !table || !column) return undefined;
  return { schema, table, column };
}

/** When two rules meet on a column the one that shows less wins. */
const STRICTNESS: Readonly<Record<MaskWay, number>> = { partial: 0, hash: 1, redact: 2, null: 3 };

export function stricter(a: MaskWay, b: MaskWay): MaskWay {
  return STRICTNESS[a] >= STRICTNESS[b] ? a : b;
}

/** `located[i]` is what the catalog said of `rules[i]`; undefined where the rule's name can't be read. */
export function indexMasks(rules: readonly MaskRule[], located: readonly (LocatedColumn | undefined)[]): MaskIndex {
  const columns = new Map<string, MaskedColumn>();
  const tables = new Set<number>();
  const names = new Set<string>();
  const dangling: { column: string; missing: 'table' | 'column' | 'name' }[] = [];
  rules.forEach((rule, i) => {
    const found = located[i];
    const name = parseColumnName(rule.column);
    if (name) names.add(name.table);
    if (!found?.found) {
      dangling.push({ column: rule.column, missing: found ? found.missing : 'name' });
      return;
    }
    for (const place of found.places) {
      // A value computed from a masked one is not that value: showing its tail or a token of it says something else.
      const way = place.derived && rule.with !== 'null' ? 'redact' : rule.with;
      const key = columnKey(place.table, place.attribute);
      const before = columns.get(key);
      columns.set(key, before ? { column: before.column, way: stricter(before.way, way) } : { column: rule.column, way });
      tables.add(place.table);
      names.add(place.name);
    }
    for (const dependent of found.dependents) names.add(dependent);
  });
  return { columns, tables, names, dangling };
}
