import type { MaskedColumns } from './masked-columns.js';

/** Where an output column comes from: table OID and attribute number as a RowDescription gives them, 0 and 0 when computed. */
export interface ColumnOrigin {
  readonly table: number;
  readonly attribute: number;
}

/**
 * What one statement's answer needs.
 * - `clear`: no masked value can be in its rows.
 * - `plain`: masked columns are among its outputs, each plainly; `rowMasker` finds them by table OID and attribute.
 * - `refuse`: it can't be shown that masked values would be masked.
 * `scrub`: its errors and notices go through `scrubMessage`. `origins` is what its RowDescription has to say; null where
 * the plan doesn't know.
 */
export type MaskPlan = AllowedPlan | RefusedPlan;

export interface AllowedPlan {
  readonly kind: 'clear' | 'plain';
  readonly scrub: boolean;
  readonly origins: readonly ColumnOrigin[] | null;
  readonly columns: MaskedColumns;
}

export interface RefusedPlan {
  readonly kind: 'refuse';
  /** `schema.table.column` of the rule that stands in the way. */
  readonly column: string;
  /** One sentence for the agent. Names, never values. */
  readonly reason: string;
  readonly hint: string;
}

/** Plans of one SQL string. One refused statement refuses the whole string, before any of it is sent. */
export interface StringPlan {
  readonly refused: RefusedPlan | undefined;
  /** One for each statement, in order. With no masks there is one for all of them: use `planAt`. */
  readonly statements: readonly MaskPlan[];
}

const NOTHING_MASKED: AllowedPlan = { kind: 'clear', scrub: false, origins: null, columns: new Map() };

/** The plan of a string when the verdict has no masks. */
export const UNMASKED: StringPlan = { refused: undefined, statements: [] };

export function planAt(plan: StringPlan, index: number): MaskPlan {
  return plan.statements[index] ?? NOTHING_MASKED;
}

export const MASK_HINT = 'Select the column plainly (an alias or * is fine), leave it out, or ask for a grant without the mask.';

export function refusal(column: string, reason: string, hint: string = MASK_HINT): RefusedPlan {
  return { kind: 'refuse', column, reason: `${column} is masked for you, and ${reason}.`, hint };
}
