import { type Envelope, parseEnvelope } from '@sallyport/events';
import type { HoldRow, LeaseRow, RunRow, SessionRow } from '@sallyport/projections';
import type { PrincipalRow, StoredEvent } from './store.port.js';

/** Rows as the interface names them (docs: Interface, Evidence); what else people like to see stands behind. */

export interface SessionView {
  readonly id: string;
  readonly principal: string;
  readonly resource: string;
  readonly state: SessionRow['state'];
  readonly opened: string;
  readonly closed: string | null;
  readonly issuer: string;
  readonly kind: string;
  readonly groups: readonly string[];
  readonly actors: SessionRow['actors'];
  readonly resourceKind: string;
  readonly database: string | null;
  readonly run: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly lastSeen: string;
  readonly operations: number;
  readonly rows: number;
  readonly bytes: number;
  readonly denials: number;
  readonly profiles: readonly string[];
  readonly revision: string;
  readonly rulesOff: boolean;
  readonly client: SessionRow['client'];
  readonly source: string;
}

export function sessionView(row: SessionRow): SessionView {
  const { id, resource, state, opened, closed, issuer, groups, actors, resourceKind, database, run, reason, detail } = row;
  const { lastSeen, operations, rows, bytes, denials, profiles, revision, rulesOff, client, source } = row;
  return {
    id,
    principal: row.subject,
    resource,
    state,
    opened,
    closed,
    issuer,
    kind: row.principalKind,
    groups,
    actors,
    resourceKind,
    database,
    run,
    reason,
    detail,
    lastSeen,
    operations,
    rows,
    bytes,
    denials,
    profiles,
    revision,
    rulesOff,
    client,
    source,
  };
}

export interface ApprovalView {
  readonly id: string;
  readonly state: HoldRow['state'];
  readonly session: string;
  readonly principal: string | null;
  /** What waits, as approvers read it: masked. */
  readonly operation: string;
  readonly groups: readonly string[];
  readonly needed: number;
  /** Approvals that count so far. */
  readonly given: number;
  readonly expires: string | null;
  readonly issuer: string | null;
  readonly actors: readonly { readonly subject: string; readonly issuer?: string }[];
  /** Its number in the session. */
  readonly operationNumber: number | null;
  readonly class: string;
  readonly hash: string;
  readonly resource: string;
  readonly rules: HoldRow['rules'];
  readonly requested: string | null;
  readonly windowMs: number;
  readonly windowEnds: string | null;
  readonly approvals: HoldRow['given'];
  readonly answers: HoldRow['answers'];
}

/** The rows look at no clock: what still waits behind its end has expired, and is shown so. */
export function approvalView(row: HoldRow, nowMs: number): ApprovalView {
  const isOver = row.state === 'waiting' && row.expires !== null && Date.parse(row.expires) <= nowMs;
  return {
    id: row.id,
    state: isOver ? 'expired' : row.state,
    session: row.session,
    principal: row.requester?.subject ?? null,
    operation: row.text,
    groups: row.groups,
    needed: row.needed,
    given: row.given.length,
    expires: row.expires,
    issuer: row.requester?.issuer ?? null,
    actors: row.requester?.actors ?? [],
    operationNumber: row.operation,
    class: row.class,
    hash: row.hash,
    resource: row.resource,
    rules: row.rules,
    requested: row.requested,
    windowMs: row.windowMs,
    windowEnds: row.windowEnds,
    approvals: row.given,
    answers: row.answers,
  };
}

export type LeaseView = LeaseRow;
export const leaseView = (row: LeaseRow): LeaseView => row;

export type RunView = Omit<RunRow, 'run'> & { readonly id: string };
export function runView({ run, ...rest }: RunRow): RunView {
  return { id: run, ...rest };
}

export type PrincipalView = { readonly principal: string } & Omit<PrincipalRow, 'subject'>;
export function principalView({ subject, ...rest }: PrincipalRow): PrincipalView {
  return { principal: subject, ...rest };
}

/** An event that can't be read is shown as such, not left out. */
export function eventView({ sequence, bytes }: StoredEvent): Envelope | { readonly sequence: number; readonly problem: string } {
  try {
    return parseEnvelope(bytes);
  } catch {
    return { sequence, problem: 'the event can not be read' };
  }
}
