import { MaskingError } from './errors.js';
import type { AllowedPlan } from './mask-plan.js';
import { type MaskValue, maskValueFor, type ValueSettings } from './mask-value.js';
import { columnKey } from './masked-columns.js';

/** A field of a RowDescription (protocol chapter "Message Formats"). */
export interface ResultField {
  readonly name: string;
  readonly tableOid: number;
  readonly attribute: number;
  readonly typeOid: number;
  /**
   * The format the rows will come in. A RowDescription that answers Describe of a statement always says 0: after Bind the
   * result formats of that Bind count.
   */
  readonly format: 0 | 1;
}

export interface RowMasker {
  /**
   * One DataRow body (after type and length: Int16 count, then Int32 length and bytes for each column). Gives back the same
   * buffer when nothing in it needed a mask, else a new one.
   * @throws MaskingError MASK_ROW_MALFORMED: deliver nothing and end the session.
   */
  mask(body: Buffer): Buffer;
  /** Values masked so far, by `schema.table.column`; nulls don't count. For `operation.completed`. */
  counts(): Readonly<Record<string, number>>;
}

interface Place {
  readonly index: number;
  readonly column: string;
  readonly value: MaskValue;
  masked: number;
}

/** A value to replace: the bytes from `at` (its length word) to `next`. */
interface Found {
  readonly at: number;
  readonly next: number;
  readonly value: Buffer | null;
  readonly place: Place;
}

/**
 * The masker for one result, or undefined when its rows can go as they are. The caller needs the RowDescription for it: when
 * the client sends Bind and Execute without a Describe, the caller describes the portal itself and keeps the answer from the client.
 * @throws MaskingError MASK_RESULT_MISMATCH when the result isn't what the plan saw (the catalog changed in between): deliver no row.
 */
export function rowMasker(plan: AllowedPlan, fields: readonly ResultField[], settings: ValueSettings = {}): RowMasker | undefined {
  checkOrigins(plan, fields);
  if (plan.columns.size === 0) return undefined;
  const places: Place[] = [];
  fields.forEach((field, index) => {
    const masked = plan.columns.get(columnKey(field.tableOid, field.attribute));
    if (masked)
      places.push({ index, column: masked.column, value: maskValueFor(masked.way, field.typeOid, field.format, settings), masked: 0 });
  });
  return places.length === 0 ? undefined : new PlacesMasker(places, fields.length);
}

function checkOrigins(plan: AllowedPlan, fields: readonly ResultField[]): void {
  const { origins } = plan;
  if (!origins) return;
  const same =
    origins.length === fields.length &&
    origins.every((origin, i) => origin.table === fields[i]?.tableOid && origin.attribute === fields[i].attribute);
  if (!same) throw new MaskingError('MASK_RESULT_MISMATCH', 'the result has other columns than the statement had when it was analysed');
}

class PlacesMasker implements RowMasker {
  private readonly found: Found[] = [];

  constructor(
    private readonly places: readonly Place[],
    private readonly columnCount: number,
  ) {}

  mask(body: Buffer): Buffer {
    if (body.length < 2 || body.readInt16BE(0) !== this.columnCount) throw malformed();
    const { places, found } = this;
    let at = 2;
    let place = 0;
    let count = 0;
    let size = body.length;
    for (let column = 0; column < this.columnCount; column++) {
      if (at + 4 > body.length) throw malformed();
      const length = body.readInt32BE(at);
      const next = at + 4 + Math.max(length, 0);
      if (length < -1 || next > body.length) throw malformed();
      const wanted = places[place];
      if (wanted?.index === column) {
        place++;
        if (length >= 0) {
          const value = wanted.value(body.subarray(at + 4, next));
          found[count++] = { at, next, value, place: wanted };
          size += (value?.length ?? 0) - length;
        }
      }
      at = next;
    }
    if (at !== body.length) throw malformed();
    return count === 0 ? body : this.rewrite(body, count, size);
  }

  private rewrite(body: Buffer, count: number, size: number): Buffer {
    const out = Buffer.allocUnsafe(size);
    let from = 0;
    let to = 0;
    for (let i = 0; i < count; i++) {
      const { at, next, value, place } = this.found[i] as Found;
      to += body.copy(out, to, from, at);
      to = out.writeInt32BE(value === null ? -1 : value.length, to);
      if (value !== null) to += value.copy(out, to);
      from = next;
      place.masked++;
    }
    body.copy(out, to, from);
    return out;
  }

  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { column, masked } of this.places) if (masked > 0) counts[column] = (counts[column] ?? 0) + masked;
    return counts;
  }
}

function malformed(): MaskingError {
  return new MaskingError('MASK_ROW_MALFORMED', 'a DataRow does not hold what its RowDescription says');
}
