import type { MaskRule, MaskWay } from './verdict.js';

/** From what shows something to what shows nothing. */
const STRICTNESS: Readonly<Record<MaskWay, number>> = { partial: 0, hash: 1, redact: 2, null: 3 };

/** One mask a column, the strictest way that any rule asks for, sorted by column. */
export function mergeMasks(masks: readonly MaskRule[]): readonly MaskRule[] {
  const ways = new Map<string, MaskWay>();
  for (const { column, with: way } of masks) {
    const other = ways.get(column);
    if (other === undefined || STRICTNESS[way] > STRICTNESS[other]) ways.set(column, way);
  }
  return [...ways].sort(([one], [other]) => (one < other ? -1 : 1)).map(([column, way]) => ({ column, with: way }));
}
