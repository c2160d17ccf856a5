import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { digestOf } from './digest.js';

/** As the docstring says it, part by part. */
function expected(domain: string, parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of [domain, ...parts]) {
    const bytes = Buffer.from(part as string);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}

describe('digestOf', () => {
  it('puts each part behind its length, whatever is in it', () => {
    const part = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array());
    fc.assert(fc.property(fc.string(), fc.array(part), (domain, parts) => digestOf(domain, parts) === expected(domain, parts)));
    expect(digestOf('a', ['\ud800', 'é'.repeat(100_000)])).toBe(expected('a', ['\ud800', 'é'.repeat(100_000)]));
  });
});
