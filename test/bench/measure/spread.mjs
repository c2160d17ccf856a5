/** @param {readonly number[]} values at least one */
export function median(values) {
  return percentile(values, 0.5);
}

/** Of an unsorted list, by linear interpolation; `fraction` from 0 to 1. */
export function percentile(values, fraction) {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (sorted.length - 1) * fraction;
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.ceil(at)] - sorted[low]) * (at - low);
}

/** Median, least and most; undefined without values. */
export function spread(values) {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : { median: median(known), min: Math.min(...known), max: Math.max(...known) };
}
