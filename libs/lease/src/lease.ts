import type { JWK } from 'jose';

/** What the vendor tells openly about a lease. The secret itself is only ever in the sealed part (P3). */
export interface Lease {
  readonly id: string;
  readonly session: string;
  readonly resource: string;
  readonly source: 'postgres-role' | 'static';
  readonly profiles: readonly string[];
  /** The login name at the target: not a secret, and what the target's own log shows. */
  readonly login: string;
  /** The target itself refuses the credential after this moment; milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** The plain text of a sealed lease: lives in one edge process's memory, and nowhere else. */
export interface PostgresSecret {
  readonly user: string;
  readonly password: string;
}

/** `publicKey` is an EC P-256 JWK made for this session; the answer is sealed to it (ECDH-ES, A256GCM). */
export interface LeaseRequest {
  readonly session: string;
  readonly resource: string;
  /** For the target's own log: a label, not trusted. */
  readonly subject: string;
  readonly database?: string;
  readonly profiles: readonly string[];
  /** The end of the session at the latest (token, approval window), milliseconds since the epoch. */
  readonly notAfterMs: number;
  readonly publicKey: JWK;
}

export interface LeaseGrant {
  readonly lease: Lease;
  /** Compact JWE of a {@link PostgresSecret}. */
  readonly sealed: string;
}
