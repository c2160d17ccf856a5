const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Milliseconds of `10m`, `1h30m`, `90s`, `500ms`, `2d`; null when it is nothing of the kind, or nothing at all. */
export function parseDurationMs(text: string): number | null {
  const match = /^(?:(?<d>\d{1,6})d)?(?:(?<h>\d{1,6})h)?(?:(?<m>\d{1,6})m)?(?:(?<s>\d{1,6})s)?(?:(?<ms>\d{1,9})ms)?$/.exec(text);
  if (match?.groups === undefined) return null;
  let totalMs = 0;
  for (const [unit, unitMs] of Object.entries(UNITS_MS)) totalMs += Number(match.groups[unit] ?? 0) * unitMs;
  return totalMs > 0 ? totalMs : null;
}
