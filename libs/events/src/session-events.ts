import type { Principal } from '@sallyport/identity';
import type { PostgresOperation } from '@sallyport/operation';
import type { Lease } from '@sallyport/lease';
import type { PolicyInput, PrincipalFacts, ResourceFacts, Rule, Verdict } from '@sallyport/verdict';

/** The session stream: one writer, the edge that holds the session (or whoever recovers a dead edge's spool). */
export interface SessionEvents {
  'session.opened': SessionOpened;
  'lease.obtained': Omit<Lease, 'session' | 'holder'>;
  'operation.submitted': OperationSubmitted;
  'approval.requested': ApprovalRequested;
  'approval.applied': ApprovalApplied;
  'operation.completed': OperationCompleted;
  'output.recorded': OutputRecorded;
  'secret.observed': SecretObserved;
  'session.closed': SessionClosed;
  'session.aborted': SessionAborted;
}

export type SessionEventType = keyof SessionEvents;

export interface SessionOpened {
  readonly session: string;
  readonly principal: Omit<Principal, 'tokenId' | 'issuedAtMs'>;
  readonly resource: { readonly name: string; readonly kind: string; readonly labels: Readonly<Record<string, string>> };
  readonly database?: string;
  readonly run: string | null;
  /** Labels the client gave itself: never trusted, kept for people. */
  readonly client: {
    readonly address: string;
    readonly user: string;
    readonly application: string;
    readonly protocol: string;
    readonly tls: boolean;
  };
  readonly audit: { readonly mode: string; readonly durability: string; readonly record: string };
  readonly revision: string;
  readonly rules: readonly Rule[];
  readonly rulesOff: boolean;
  readonly profiles: readonly string[];
}

export interface OperationSubmitted {
  /** From 1 within the session. */
  readonly operation: number;
  readonly kind: 'postgres';
  readonly class: string;
  /** Masked, and cut at `limits.recordedTextMaxBytes`. For Postgres the normalized statement when `record` is `metadata`. */
  readonly text: string;
  readonly textTruncated: boolean;
  readonly facts: Omit<PostgresOperation, 'normalized'>;
  /** Hex SHA-256 over principal, resource, statement, parameters and revision: what an approval is bound to. */
  readonly hash: string;
  readonly verdict: Pick<Verdict, 'decision' | 'revision' | 'rules' | 'reasons' | 'masks' | 'cacheKey' | 'rulesOff'>;
  /** What is needed to judge again, beside `facts` and what `session.opened` holds. */
  readonly input: { readonly session: PolicyInput['session']; readonly time: string; readonly parameters?: readonly (string | null)[] };
  /** True when something in `input` or `text` was masked, or parameters were cut, so that replay may not be able to judge it. */
  readonly masked: boolean;
}

export interface ApprovalRequested {
  readonly hold: string;
  readonly operation: number;
  readonly hash: string;
  readonly resource: ResourceFacts;
  /** What approvers read. Masked. */
  readonly text: string;
  readonly class: string;
  readonly requester: PrincipalFacts;
  readonly rules: readonly Rule[];
  readonly revision: string;
  readonly groups: readonly string[];
  readonly needed: number;
  readonly windowMs: number;
  /** RFC 3339. No answer by then is a denial. */
  readonly expires: string;
}

export interface ApprovalApplied {
  readonly hold: string;
  readonly operation: number;
  readonly outcome: 'granted' | 'denied' | 'expired' | 'cancelled';
  readonly by: readonly { readonly subject: string; readonly issuer: string; readonly comment?: string }[];
  /** RFC 3339: the end of the window; the session ends there at the latest. Only when granted. */
  readonly windowEnds?: string;
}

export interface OperationCompleted {
  readonly operation: number;
  readonly outcome: 'ok' | 'error' | 'refused' | 'cancelled' | 'lost';
  /** Postgres: the command tags, joined with `; `. */
  readonly tag: string;
  readonly rows: number;
  readonly bytes: number;
  readonly durationMicros: number;
  /** Only the code when the text could quote a masked value. */
  readonly error?: { readonly code: string; readonly message?: string };
  /** Hex SHA-256 of the response bytes as delivered to the agent. */
  readonly digest: string;
  /** Masked column → number of values masked. */
  readonly masked: Readonly<Record<string, number>>;
}

export interface OutputRecorded {
  readonly operation: number;
  readonly stream: 'rows';
  /** From 0 within the operation. */
  readonly chunk: number;
  readonly columns?: readonly string[];
  /** Rows as delivered (masked), text format; null is SQL null; what came in binary is base64 behind `\\b`. */
  readonly rows: readonly (readonly (string | null)[])[];
  readonly truncated: boolean;
}

export interface SecretObserved {
  readonly operation: number;
  readonly kind: string;
  readonly fingerprint: string;
  readonly place: string;
}

/** Ends the chain. `signature` is Ed25519 by the edge's key over `sallyport.session.v1\nSESSION\nCOUNT\nHEAD\n`. */
export interface SessionClosed {
  readonly reason: 'client' | 'target' | 'revoked' | 'expired' | 'shutdown' | 'limit' | 'record' | 'error' | 'refused';
  readonly detail?: string;
  readonly operations: number;
  readonly rows: number;
  readonly bytes: number;
  readonly denials: number;
  /** Events in the stream before this one. */
  readonly count: number;
  /** Hex SHA-256 of the event before this one: equal to its `prev`. */
  readonly head: string;
  /** Key id: first 16 hex digits of the SHA-256 of the raw public key. */
  readonly key: string;
  /** Base64. */
  readonly signature: string;
}

export interface SessionAborted extends Omit<SessionClosed, 'reason' | 'operations' | 'rows' | 'bytes' | 'denials'> {
  readonly reason: 'killed';
  /** Operations whose intent is on record and whose end is not known. */
  readonly unfinished: readonly number[];
}
