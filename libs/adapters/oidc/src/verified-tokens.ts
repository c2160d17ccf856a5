import { createHash } from 'node:crypto';
import type { Principal } from '@sallyport/identity';

export interface VerifiedToken {
  readonly principal: Principal;
  /** Of the key that signed it: when the key goes, so does this. */
  readonly thumbprint: string;
}

/**
 * Tokens whose signature has been verified, by SHA-256: the token itself is not kept. Bounded by `maxEntries` (the least recently used
 * goes first) and by each token's own end.
 */
export class VerifiedTokens {
  private readonly entries = new Map<string, VerifiedToken>();

  constructor(private readonly maxEntries: number) {}

  static digest(token: string): string {
    return createHash('sha256').update(token).digest('base64');
  }

  get size(): number {
    return this.entries.size;
  }

  /** `stands` is asked whether the signing key is still in force; an entry without is forgotten. */
  get(digest: string, nowMs: number, stands: (verified: VerifiedToken) => boolean): VerifiedToken | undefined {
    const entry = this.entries.get(digest);
    if (!entry) return undefined;
    this.entries.delete(digest);
    if (entry.principal.expiresAtMs <= nowMs || !stands(entry)) return undefined;
    this.entries.set(digest, entry);
    return entry;
  }

  add(digest: string, entry: VerifiedToken): void {
    if (this.maxEntries === 0) return;
    this.entries.delete(digest);
    if (this.entries.size >= this.maxEntries) {
      const oldest = this.entries.keys().next();
      if (!oldest.done) this.entries.delete(oldest.value);
    }
    this.entries.set(digest, entry);
  }

  clear(): void {
    this.entries.clear();
  }
}
