import type { AcknowledgementRow, RevocationRow } from '@sallyport/projections';

/** One edge's word on a revocation. */
export interface EdgeConfirmation {
  /** `edge/NAME`. */
  readonly edge: string;
  readonly state: 'confirmed' | 'unconfirmed';
  /** When it said so, by its own clock. */
  readonly at: string | null;
  /** Sessions that it ended. */
  readonly sessions: number | null;
}

export interface RevocationView {
  readonly id: string;
  readonly kind: RevocationRow['kind'];
  /** Subject; null for one session. */
  readonly principal: string | null;
  /** Null: of whatever issuer. */
  readonly issuer: string | null;
  readonly session: string | null;
  readonly by: string;
  readonly reason: string;
  readonly time: string;
  /** Every edge that has announced itself and is enrolled has confirmed it. */
  readonly confirmed: boolean;
  /** Those edges, and whoever else has confirmed it while it was one. */
  readonly edges: readonly EdgeConfirmation[];
}

/** @param edges  who has to confirm: names of the edges that have announced themselves and are enrolled. */
export function revocationView(
  { id, kind, subject, issuer, session, by, reason, revoked }: RevocationRow,
  acknowledgements: readonly AcknowledgementRow[],
  edges: readonly string[],
): RevocationView {
  const own = new Map(acknowledgements.filter(({ revocation }) => revocation === id).map((row) => [row.edge, row]));
  const confirmations = [...new Set([...edges, ...own.keys()])].sort().map((edge): EdgeConfirmation => {
    const row = own.get(edge);
    return { edge, state: row ? 'confirmed' : 'unconfirmed', at: row?.confirmed ?? null, sessions: row?.sessions ?? null };
  });
  return {
    id,
    kind,
    principal: subject,
    issuer,
    session,
    by,
    reason,
    time: revoked,
    confirmed: confirmations.every(({ state }) => state === 'confirmed'),
    edges: confirmations,
  };
}
