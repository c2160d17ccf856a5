import { hash } from 'node:crypto';

/**
 * Hex SHA-256 over a domain name and parts, each behind its length (8 bytes, big endian): no two lists of parts give the same
 * bytes, and no digest for one purpose is good for another.
 */
export function digestOf(domain: string, parts: readonly (string | Uint8Array)[]): string {
  const all = [domain, ...parts];
  const lengths = all.map((part) => (typeof part === 'string' ? Buffer.byteLength(part) : part.length));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const [i, part] of all.entries()) {
    const length = lengths[i]!;
    bytes.writeUInt32BE(Math.floor(length / 2 ** 32), at);
    bytes.writeUInt32BE(length % 2 ** 32, at + 4);
    at += LENGTH_BYTES;
    if (typeof part === 'string') bytes.write(part, at);
    else bytes.set(part, at);
    at += length;
  }
  return hash('sha256', bytes, 'hex');
}

const LENGTH_BYTES = 8;
