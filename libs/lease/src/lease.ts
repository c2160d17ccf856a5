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
  /** The target itself refuses the credential after this moment; milliseconds since the epoch, by the vendor's clock. */
  readonly expiresAtMs: number;
  /** The edge that asked for it (`edge/NAME`), when the transport says who asks. Nobody else may have it dropped. */
  readonly holder?: string;
}

/** The plain text of a sealed lease: lives in one edge process's memory, and nowhere else. */
export interface PostgresSecret {
  readonly user: string;
  readonly password: string;
}

/** What a source is asked to make. `publicKey` is an EC P-256 JWK made for this session; the answer is sealed to it (ECDH-ES, A256GCM). */
export interface LeaseOrder {
  readonly session: string;
  readonly resource: string;
  /** For the target's own log. */
  readonly subject: string;
  readonly database?: string;
  readonly profiles: readonly string[];
  /** When the credential must have ended, milliseconds since the epoch. */
  readonly notAfterMs: number;
  readonly publicKey: JWK;
}

/** What a session of the edge asks for. The vendor believes none of it but what the token shows. */
export interface LeaseRequest extends LeaseOrder {
  /** The agent's own token, in the clear: in this process's memory only, and on the bus sealed to the vendor (P3). */
  readonly token: string;
  /** The crew's run that the session goes by; a run that the token names wins. */
  readonly run: string | null;
}

/** A {@link LeaseRequest} as it crosses the bus. */
export interface SealedLeaseRequest extends Omit<LeaseRequest, 'token'> {
  /** The token, sealed to the vendors and bound to {@link tokenBinding}. */
  readonly sealedToken: string;
}

export interface LeaseGrant {
  readonly lease: Lease;
  /** Compact JWE of a {@link PostgresSecret}. */
  readonly sealed: string;
  /** How much longer it lasts: a duration, because the clocks of vendor and edge may differ. */
  readonly expiresInMs: number;
}

/** What a token is sealed for: one session, and an answer to its one key. Whoever copies the seal gets nothing that it can open. */
export function tokenBinding({ session, publicKey }: Pick<LeaseOrder, 'session' | 'publicKey'>): Readonly<Record<string, string>> {
  return { purpose: 'lease', session, key: `${publicKey.x ?? ''}.${publicKey.y ?? ''}` };
}
