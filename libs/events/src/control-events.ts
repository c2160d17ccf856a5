import type { Rule } from '@sallyport/verdict';

/** The control stream: what people and services say about sessions they don't hold. */
export interface ControlEvents {
  'policy.activated': { readonly revision: string; readonly bundle: string; readonly grants: string };
  'approval.given': ApprovalGiven;
  'approval.refused': ApprovalGiven;
  'principal.revoked': { readonly subject: string; readonly issuer?: string; readonly by: string; readonly reason: string };
  'session.revoked': { readonly session: string; readonly by: string; readonly reason: string };
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
