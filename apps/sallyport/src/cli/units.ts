/** `3 rows`, `1 row`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}

/** Powers of 1024, as in the configuration. */
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(n) / 10));
  return `${(n / 1024 ** power).toFixed(1)} ${units[power - 1] ?? ''}`;
}

/** Microseconds, with as much precision as one reads. */
export function micros(n: number): string {
  if (n < 1000) return `${n} µs`;
  if (n < 1_000_000) return `${(n / 1000).toFixed(1)} ms`;
  return n < 60_000_000 ? `${(n / 1_000_000).toFixed(1)} s` : duration(n / 1000);
}

/** Milliseconds as `2h 5m`, `4m 10s`, `12s`. */
export function duration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const [days, hours, minutes, rest] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  if (days > 0) return hours > 0 ? `${days}d ${hours}h` : `${days}d`;
  if (hours > 0) return minutes > 0 ? `${hours}h ${minutes}m` : `${hours}h`;
  return minutes > 0 ? (rest > 0 ? `${minutes}m ${rest}s` : `${minutes}m`) : `${rest}s`;
}

/** RFC 3339 in UTC for people: to the second. */
export function moment(time: string | null | undefined): string {
  if (time === null || time === undefined || time === '') return '–';
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? time : new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
}
