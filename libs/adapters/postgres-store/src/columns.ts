import type { EntitySchemaColumnOptions } from 'typeorm';

/** The kinds of column that the read model has; each knows its way into a row of ours and into COPY's text format. */
export type ColumnKind = 'text' | 'integer' | 'count' | 'offset' | 'double' | 'flag' | 'time' | 'json' | 'bytes';

interface Kind {
  readonly type: 'text' | 'integer' | 'bigint' | 'double precision' | 'boolean' | 'timestamptz' | 'jsonb' | 'bytea';
  /** From what the driver gives. */
  readonly read?: (value: never) => unknown;
  /** To text, not yet escaped; never called with null. */
  readonly write: (value: never) => string;
}

export const KINDS: Readonly<Record<ColumnKind, Kind>> = {
  text: { type: 'text', write: (value: string) => value },
  integer: { type: 'integer', write: String },
  // A count never leaves the numbers that JavaScript holds exactly, so it comes back as it went in.
  count: { type: 'bigint', read: Number, write: String },
  offset: { type: 'bigint', read: (value: string) => BigInt(value), write: String },
  double: { type: 'double precision', write: String },
  flag: { type: 'boolean', write: (value: boolean) => (value ? 't' : 'f') },
  time: { type: 'timestamptz', read: (value: Date) => value.toISOString(), write: (value: string) => value },
  json: { type: 'jsonb', write: (value: unknown) => JSON.stringify(value) },
  bytes: { type: 'bytea', write: (value: Buffer) => `\\x${value.toString('hex')}` },
};

export interface Column<Row> {
  readonly property: keyof Row & string;
  /** In the table. */
  readonly name: string;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
}

const snakeCase = (property: string): string => property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `time?` is a time that may be null. */
export type ColumnKinds<Row> = { readonly [Property in keyof Required<Row>]: ColumnKind | `${ColumnKind}?` };

export function columnsOf<Row>(kinds: ColumnKinds<Row>): readonly Column<Row>[] {
  return Object.entries(kinds as Record<string, ColumnKind | `${ColumnKind}?`>).map(([property, spelled]) => ({
    property: property as keyof Row & string,
    name: snakeCase(property),
    kind: spelled.replace('?', '') as ColumnKind,
    nullable: spelled.endsWith('?'),
  }));
}

export function entityColumn<Row>({ name, kind, nullable }: Column<Row>, primary: boolean): EntitySchemaColumnOptions {
  const { type, read } = KINDS[kind];
  const from = (value: unknown): unknown => (value === null || value === undefined ? null : read ? read(value as never) : value);
  return { name, type, nullable, primary, transformer: { from, to: (value: unknown) => value } };
}

/** One field in COPY's text format (PostgreSQL documentation, COPY, File Formats). */
export function copyField<Row>(column: Column<Row>, row: Row): string {
  const value = row[column.property];
  if (value === null || value === undefined) return '\\N';
  return KINDS[column.kind].write(value as never).replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
