import { z } from 'zod';
import { parseTcpAddress, parseUnixAddress, type Address } from './address.js';
import { BYTES_PATTERN, DURATION_PATTERN, parseBytes, parseDurationMs } from './units.js';

const DURATION = 'expected a duration such as 500ms, 10s, 15m, 1h or 1d';
const BYTES = 'expected a size such as 64KiB, 16MiB or 1GiB, or a number of bytes';

/** Milliseconds. */
export function duration(minMs = 1) {
  return z
    .string({ error: DURATION })
    .regex(DURATION_PATTERN, { error: DURATION })
    .transform(parseDurationMs)
    .refine((value) => value >= minMs, { error: minMs > 1 ? `expected at least ${minMs} ms` : 'expected more than 0' });
}

/** Bytes, at least one. */
export function bytes() {
  return z
    .union([z.string().regex(BYTES_PATTERN, { error: BYTES }), z.int({ error: BYTES })], { error: BYTES })
    .transform((value) => (typeof value === 'string' ? parseBytes(value) : value))
    .refine((value) => value >= 1, { error: BYTES });
}

export function text(what = 'a text') {
  return z.string({ error: `expected ${what}` }).min(1, { error: `expected ${what}, got an empty one` });
}

/** The names of resources, providers and edges: they stand in connection strings, URLs and host names. */
export function name() {
  const error = 'expected a name of lower-case letters, digits and dashes, at most 63, that begins with a letter or digit';
  return z.string({ error }).regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error });
}

export function tcpAddress(example: string) {
  const error = `expected host:port, such as ${example}`;
  return z.string({ error }).transform((value, context) => {
    const address = parseTcpAddress(value);
    if (address) return address;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

export function postgresAddress() {
  const error = 'expected host:port, such as 127.0.0.1:5432, or the path of a socket, such as /var/run/postgresql';
  return z.string({ error }).transform((value, context): Address => {
    const address = parseTcpAddress(value) ?? parseUnixAddress(value);
    if (address) return address;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

export function url(...protocols: readonly string[]) {
  const error = `expected a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`;
  return z.string({ error }).refine((value) => protocols.includes(protocolOf(value)), { error });
}

function protocolOf(value: string): string {
  try {
    return new URL(value).protocol.slice(0, -1);
  } catch {
    return '';
  }
}

/** One of a few words. The first is the default where one is set. */
export function oneOf<const T extends readonly [string, ...string[]]>(...words: T) {
  return z.enum(words, { error: `expected ${words.join(' or ')}` });
}
