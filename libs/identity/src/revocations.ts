import type { Principal } from './principal.js';

/**
 * Who was revoked, and when: tokens from before that open nothing any more, however often they are shown (P10). A fold of the
 * control stream from its beginning; it holds one entry for each subject and issuer that was ever revoked.
 *
 * A token's time is by its issuer's clock, the revocation's by the console's. `skewMs` is by how much these may differ: a token counts
 * as new only when it was issued so much later than the revocation. In doubt it is old, and whoever is let in again waits so long.
 */
export class Revocations {
  readonly #atMs = new Map<string, number>();

  constructor(private readonly skewMs: number) {}

  /** Without an issuer: of whatever issuer. */
  revoke(subject: string, issuer: string | undefined, atMs: number): void {
    const key = keyOf(subject, issuer);
    this.#atMs.set(key, Math.max(this.#atMs.get(key) ?? 0, atMs));
  }

  /** Whether the principal, or whoever acts for it, was revoked after its token was issued. A token that doesn't say when counts as old. */
  covers(principal: Principal): boolean {
    const issuedAtMs = principal.issuedAtMs ?? 0;
    return [principal, ...principal.actors].some(({ subject, issuer = principal.issuer }) =>
      [keyOf(subject, issuer), keyOf(subject, undefined)].some((key) => issuedAtMs <= (this.#atMs.get(key) ?? -Infinity) + this.skewMs),
    );
  }
}

function keyOf(subject: string, issuer: string | undefined): string {
  return JSON.stringify([subject, issuer ?? null]);
}
