/** One link of the `act` chain (RFC 8693 section 4.1): who acts for the subject, nearest first. */
export interface Actor {
  readonly subject: string;
  readonly issuer?: string;
}

/** Who asks: a workload (agent) or a person, from a verified token or assertion. */
export interface Principal {
  /** `sub` of the token. */
  readonly subject: string;
  /** `iss` of the token. */
  readonly issuer: string;
  /** Name of the provider in the configuration that vouched for it. */
  readonly provider: string;
  readonly kind: 'workload' | 'person';
  /** A list of strings, or empty: a claim of any other shape gives no group. */
  readonly groups: readonly string[];
  readonly actors: readonly Actor[];
  /** The crew's run, when the token names it (claim `run`). */
  readonly run?: string;
  /** `exp`, milliseconds since the epoch. A session never outlives it. */
  readonly expiresAtMs: number;
  /** `iat`, milliseconds since the epoch, when the token says so. */
  readonly issuedAtMs?: number;
  /** `jti`, when there is one. */
  readonly tokenId?: string;
}
