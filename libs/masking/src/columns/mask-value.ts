import { createHmac } from 'node:crypto';

import type { MaskWay } from '@sallyport/verdict';

import { MaskingError } from './errors.js';

/** Type OIDs (catalog/pg_type.dat). Domains come as their base type in a RowDescription. */
const TYPE = { json: 114, jsonb: 3802, text: 25, varchar: 1043, bpchar: 1042, name: 19 };
const TEXT_TYPES: ReadonlySet<number> = new Set([TYPE.text, TYPE.varchar, TYPE.bpchar, TYPE.name]);

const REDACTED = Buffer.from('[redacted]');
const REDACTED_JSON = Buffer.from('"[redacted]"');
/** Binary jsonb starts with its version (jsonb_send, utils/adt/jsonb.c). */
const REDACTED_JSONB = Buffer.concat([Buffer.from([1]), REDACTED_JSON]);

const KEPT_CHARACTERS = 4;
const SHORT_CHARACTERS = 8;
const STAR = 0x2a;
const TOKEN_PREFIX = 'hash:';
export const MIN_HASH_KEY_BYTES = 16;

export interface ValueSettings {
  /** Per tenant: tokens join within it and nowhere else. Needed when a column is masked with `hash`. */
  readonly hashKey?: Uint8Array;
  /** The session's client_encoding as ParameterStatus reports it. Anything but UTF8 can't be cut into characters. */
  readonly clientEncoding?: string;
}

/** Bytes in, bytes out; null is SQL NULL. Never called with NULL. */
export type MaskValue = (value: Buffer) => Buffer | null;

/**
 * How values of one column are shown, in the wire form of `format` (0 text, 1 binary; for text types they are the same).
 * - `redact`: `[redacted]` for text, a JSON string of it for json and jsonb, null for every other type.
 * - `partial`: the last 4 characters after one star each for the others; shorter than 8 characters: `****`. JSON as `redact`.
 * - `hash`: `hash:` and 22 characters of base64url, HMAC-SHA-256 over the value's bytes, so that equal values stay equal. JSON as `redact`.
 * - `null`, and whatever isn't text: null, because types keep their type.
 * @throws MaskingError MASK_HASH_KEY when `hash` has no key of at least 16 bytes.
 */
export function maskValueFor(way: MaskWay, typeOid: number, format: 0 | 1, settings: ValueSettings): MaskValue {
  if (way === 'hash' && (settings.hashKey?.length ?? 0) < MIN_HASH_KEY_BYTES) {
    throw new MaskingError('MASK_HASH_KEY', `masking with hash needs a key of at least ${MIN_HASH_KEY_BYTES} bytes`);
  }
  if (way === 'null') return () => null;
  if (typeOid === TYPE.json) return () => REDACTED_JSON;
  if (typeOid === TYPE.jsonb) return () => (format === 1 ? REDACTED_JSONB : REDACTED_JSON);
  if (!TEXT_TYPES.has(typeOid)) return () => null;
  switch (way) {
    case 'hash':
      return tokens(settings.hashKey ?? new Uint8Array(), typeOid === TYPE.bpchar);
    case 'partial':
      return isUtf8(settings.clientEncoding) ? keepTail : () => REDACTED;
    default:
      return () => REDACTED;
  }
}

function isUtf8(encoding: string | undefined): boolean {
  return encoding === undefined || /^utf-?8$/i.test(encoding);
}

function tokens(key: Uint8Array, padded: boolean): MaskValue {
  return (value) => {
    // char(n) is padded with blanks that don't count, so that it joins with text.
    const end = padded ? lastNotBlank(value) : value.length;
    const digest = createHmac('sha256', key).update(value.subarray(0, end)).digest('base64url');
    return Buffer.from(TOKEN_PREFIX + digest.slice(0, 22));
  };
}

function lastNotBlank(value: Buffer): number {
  let end = value.length;
  while (end > 0 && value[end - 1] === 0x20) end--;
  return end;
}

/** Works on UTF-8 bytes: a continuation byte is 10xxxxxx. */
function keepTail(value: Buffer): Buffer {
  let characters = 0;
  let tail = value.length;
  for (let at = value.length - 1; at >= 0; at--) {
    if (((value[at] ?? 0) & 0xc0) === 0x80) continue;
    characters++;
    if (characters === KEPT_CHARACTERS) tail = at;
  }
  if (characters < SHORT_CHARACTERS) return Buffer.alloc(KEPT_CHARACTERS, STAR);
  const hidden = characters - KEPT_CHARACTERS;
  const shown = Buffer.allocUnsafe(hidden + value.length - tail);
  shown.fill(STAR, 0, hidden);
  value.copy(shown, hidden, tail);
  return shown;
}
