/** A size: a whole number of bytes, or one with a unit. The units are powers of 1024, and say so. */
export const BYTES_PATTERN = /^\d{1,15}(B|KiB|MiB|GiB|TiB)$/;
/** A span of time: a whole number with a unit. */
export const DURATION_PATTERN = /^\d{1,12}(ms|s|m|h|d)$/;

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `16MiB` → 16777216. NaN for anything else. */
export function parseBytes(text: string): number {
  return BYTES_PATTERN.test(text) ? parse(text, BYTES) : NaN;
}

/** `15m` → 900000. NaN for anything else. */
export function parseDurationMs(text: string): number {
  return DURATION_PATTERN.test(text) ? parse(text, MILLISECONDS) : NaN;
}

function parse(text: string, units: Readonly<Record<string, number>>): number {
  const value = Number.parseInt(text, 10) * (units[text.replace(/^\d+/, '')] ?? NaN);
  return Number.isSafeInteger(value) ? value : NaN;
}
