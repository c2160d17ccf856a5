import { createHash, hash } from 'node:crypto';

export const HASH_BYTES = 32;
const LEAF = Buffer.of(0x00);
const NODE = Buffer.of(0x01);

/** MTH({}): the root of a tree without leaves (RFC 9162 section 2.1.1). */
export const EMPTY_ROOT: Buffer = createHash('sha256').digest();

/** SHA-256(0x00 || bytes) (RFC 9162 section 2.1.1). */
export function leafHash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(bytes).digest();
}

/** SHA-256(0x01 || left || right) (RFC 9162 section 2.1.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right], 1 + 2 * HASH_BYTES), 'buffer');
}
