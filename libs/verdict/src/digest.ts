import { createHash } from 'node:crypto';

/**
 * Hex SHA-256 over a domain name and parts, each behind its length (8 bytes, big endian): no two lists of parts give the same
 * bytes, and no digest for one purpose is good for another.
 */
export function digestOf(domain: string, parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of [domain, ...parts]) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}
