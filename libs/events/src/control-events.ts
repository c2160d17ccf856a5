import type { Rule } from '@sallyport/verdict';

/** The control stream: what people and services say about sessions they don't hold. */
export interface ControlEvents {
  'policy.activated': { readonly revision: string; readonly bundle: string; readonly grants: string };
  'approval.given': ApprovalGiven;
  'approval.refused': ApprovalGiven;
  'principal.revoked': { readonly subject: string; readonly issuer?: string; readonly by: string; readonly reason: string };
  'session.revoked': { readonly session: string; readonly by: string; readonly reason: string };
  'service.announced': ServiceAnnounced;
  'revocation.applied': RevocationApplied;
}

/** A service has started. What it tells is what others need of it. */
export interface ServiceAnnounced {
  /** `edge/e1`: the name of its key. */
  readonly service: string;
  /** Id of the key that signs this. */
  readonly keyId: string;
  /** What others seal to it with: EC P-256, public. */
  readonly sealKey: { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string };
  /** Id of the installation that it takes itself to belong to. */
  readonly installation: string;
  readonly version: string;
}

/** An edge has acted on a revocation: it holds no session that the revocation ends. */
export interface RevocationApplied {
  /** Id of the `principal.revoked` or `session.revoked` event. */
  readonly revocation: string;
  /** Sessions that were ended. */
  readonly sessions: number;
}

export interface ApprovalGiven {
  readonly hold: string;
  /** The operation hash the approver saw: an edge applies it to that operation only. */
  readonly hash: string;
  readonly session: string;
  readonly by: { readonly subject: string; readonly issuer: string; readonly groups: readonly string[] };
  readonly comment?: string;
  readonly rules: readonly Rule[];
  readonly revision: string;
}
