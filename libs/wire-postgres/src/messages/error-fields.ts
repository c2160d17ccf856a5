import type { BodyReader } from '../body-reader.js';
import type { FrameWriter } from '../frame-writer.js';

/**
 * The fields of ErrorResponse and NoticeResponse (chapter 'Error and Notice Message Fields'):
 *
 *     (Byte1 field  String value)[…]  Byte1(0)
 */
export interface ErrorFields {
  /** In the server's language; see `severityNonLocalized`. */
  readonly severity?: string;
  readonly severityNonLocalized?: string;
  /** The SQLSTATE. */
  readonly code?: string;
  readonly message?: string;
  readonly detail?: string;
  readonly hint?: string;
  /** In characters, from 1, in the query text. */
  readonly position?: string;
  readonly internalPosition?: string;
  readonly internalQuery?: string;
  readonly where?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly dataType?: string;
  readonly constraint?: string;
  readonly file?: string;
  readonly line?: string;
  readonly routine?: string;
  /** Fields that this codec has no name for, by their byte. */
  readonly other?: readonly (readonly [type: number, value: string])[];
}

type Name = Exclude<keyof ErrorFields, 'other'>;

/** In the order in which PostgreSQL sends them. */
const LETTERS: readonly (readonly [Name, string])[] = [
  ['severity', 'S'],
  ['severityNonLocalized', 'V'],
  ['code', 'C'],
  ['message', 'M'],
  ['detail', 'D'],
  ['hint', 'H'],
  ['where', 'W'],
  ['schema', 's'],
  ['table', 't'],
  ['column', 'c'],
  ['dataType', 'd'],
  ['constraint', 'n'],
  ['position', 'P'],
  ['internalPosition', 'p'],
  ['internalQuery', 'q'],
  ['file', 'F'],
  ['line', 'L'],
  ['routine', 'R'],
];

const NAMES: ReadonlyMap<number, Name> = new Map(LETTERS.map(([name, letter]) => [letter.charCodeAt(0), name]));

/** The fields by the letter that each has on the wire. */
export function errorFieldsByLetter(fields: ErrorFields): Map<string, string> {
  const byLetter = new Map<string, string>();
  for (const [name, letter] of LETTERS) {
    const value = fields[name];
    if (value !== undefined) byLetter.set(letter, value);
  }
  for (const [type, value] of fields.other ?? []) byLetter.set(String.fromCharCode(type), value);
  return byLetter;
}

/** The other way round; letters that have no name here are kept too. */
export function errorFieldsFromLetters(byLetter: ReadonlyMap<string, string>): ErrorFields {
  const fields: { -readonly [K in Name]?: string } = {};
  const other: (readonly [number, string])[] = [];
  for (const [letter, value] of byLetter) {
    const name = NAMES.get(letter.charCodeAt(0));
    if (name === undefined) other.push([letter.charCodeAt(0), value]);
    else fields[name] = value;
  }
  return other.length === 0 ? fields : { ...fields, other };
}

export function readErrorFields(reader: BodyReader): ErrorFields {
  const fields: { -readonly [K in Name]?: string } = {};
  const other: (readonly [number, string])[] = [];
  for (let type = reader.uint8(); type !== 0; type = reader.uint8()) {
    const name = NAMES.get(type);
    const value = reader.serverString();
    if (name === undefined) other.push([type, value]);
    else if (fields[name] === undefined) fields[name] = value;
    else throw reader.malformed('a field twice');
  }
  reader.end();
  return other.length === 0 ? fields : { ...fields, other };
}

export function writeErrorFields(writer: FrameWriter, fields: ErrorFields): FrameWriter {
  for (const [name, letter] of LETTERS) {
    const value = fields[name];
    if (value !== undefined) writer.uint8(letter.charCodeAt(0)).cstring(value);
  }
  for (const [type, value] of fields.other ?? []) writer.uint8(type).cstring(value);
  return writer.uint8(0);
}
