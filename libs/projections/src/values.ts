import { hash } from 'node:crypto';

/** Longest text that is part of a key or an index of a read model, in UTF-16 code units. */
export const KEY_TEXT_MAX_CHARS = 256;
const HASH_CHARS = 64;

/** Postgres has no year 0, and a time that can't be stored would stop the projector for ever. */
const EARLIEST_MS = Date.parse('0001-01-01T00:00:00.000Z');
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** RFC 3339 in UTC with milliseconds, whatever the writer put there; null when it is no time. */
export function instant(time: string): string | null {
  const timeMs = Date.parse(time);
  return Number.isNaN(timeMs) ? null : instantOf(timeMs);
}

/** The same from milliseconds since the epoch, held to the years that every reader can show. */
export function instantOf(timeMs: number): string {
  return new Date(Math.min(Math.max(timeMs, EARLIEST_MS), LATEST_MS)).toISOString();
}

/** A key as it is, or its beginning and its SHA-256 when it is longer than an index takes: still one key for one text. */
export function keyText(text: string): string {
  if (text.length <= KEY_TEXT_MAX_CHARS) return text;
  const beginning = text.slice(0, KEY_TEXT_MAX_CHARS - HASH_CHARS - 1).replace(/[\ud800-\udbff]$/, '');
  return `${beginning}~${hash('sha256', text, 'hex')}`;
}

/** Counts stay whole numbers that JSON and JavaScript hold exactly. */
export function add(count: number, more: number): number {
  return Math.trunc(Math.min(Math.max(count + more, 0), Number.MAX_SAFE_INTEGER));
}
