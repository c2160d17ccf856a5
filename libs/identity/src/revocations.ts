import type { Principal } from './principal.js';

/**
 * Who was revoked, and when: tokens from before that open nothing any more, however often they are shown (P10). A fold of the
 * control stream from its beginning; it holds one entry for each subject and issuer that was ever revoked.
 */
export class Revocations {
  readonly #atMs = new Map<string, number>();

  /** Without an issuer: of whatever issuer. */
  revoke(subject: string, issuer: string | undefined, atMs: number): void {
    const key = keyOf(subject, issuer);
    this.#atMs.set(key, Math.max(this.#atMs.get(key) ?? 0, atMs));
  }

  /** Whether the principal, or whoever acts for it, was revoked after its token was issued. A token that doesn't say when counts as old. */
  covers(principal: Principal): boolean {
    const issuedAtMs = principal.issuedAtMs ?? 0;
    return [principal, ...principal.actors].some(({ subject, issuer = principal.issuer }) =>
      [keyOf(subject, issuer), keyOf(subject, undefined)].some((key) => issuedAtMs <= (this.#atMs.get(key) ?? -1)),
    );
  }
}

function keyOf(subject: string, issuer: string | undefined): string {
  return JSON.stringify([subject, issuer ?? null]);
}
