import { randomUUID } from 'node:crypto';
import type { OperationCompleted, SessionClosed } from '@sallyport/events';
import type { Principal } from '@sallyport/identity';
import {
  freezeDeep,
  type PolicyInput,
  policyTime,
  principalFacts,
  type PrincipalFacts,
  type ResourceFacts,
  type SessionFacts,
  type VerdictPort,
} from '@sallyport/verdict';
import type { Holds } from './holds.js';
import type { Recorder } from './recorder.js';
import { transition, type SessionState } from './state.js';

/** What every session of an edge shares. */
export interface SessionServices {
  readonly verdicts: VerdictPort;
  readonly holds: Holds;
  readonly nowMs: () => number;
  readonly limits: SessionLimits;
}

export interface SessionLimits {
  /** How long policy may take for one answer; after that it is a refusal. */
  readonly decisionTimeoutMs: number;
  /** How much of a statement's text goes into one event. */
  readonly recordedTextMaxBytes: number;
  /** How long a hold waits for people. */
  readonly holdTimeoutMs: number;
}

export type EndReason = SessionClosed['reason'];

/** An operation whose intent is on record. */
export interface Running {
  /** From 1 within the session. */
  readonly operation: number;
  /** Offset of its intent in the spool. */
  readonly intent: bigint;
  readonly startedAtNanos: bigint;
}

export function newSessionId(): string {
  return randomUUID();
}

/**
 * One principal on one resource, from sign-in to close: its facts, its counters, its stream. What it may do is the
 * pipeline's business, what it speaks the protocol's.
 */
export class Session {
  readonly principalFacts: PrincipalFacts;
  readonly resource: ResourceFacts;
  /** How much of what is said is kept. */
  readonly record: 'metadata' | 'full';
  #state: SessionState = 'opening';
  #operations = 0;
  #rows = 0;
  #bytes = 0;
  #denials = 0;
  #endsAtMs: number;

  constructor(
    readonly id: string,
    readonly principal: Principal,
    target: { readonly facts: ResourceFacts; readonly record: 'metadata' | 'full' },
    readonly recorder: Recorder,
    readonly services: SessionServices,
  ) {
    this.principalFacts = principalFacts(principal);
    this.resource = freezeDeep(target.facts);
    this.record = target.record;
    this.#endsAtMs = principal.expiresAtMs;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The moment it ends at the latest: token, credential or approval window, whichever comes first. */
  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  endAtTheLatest(atMs: number): void {
    if (atMs < this.#endsAtMs) this.#endsAtMs = atMs;
  }

  connected(): void {
    this.#state = transition(this.#state, 'connected');
  }

  /** `input` of the policy for one operation. */
  policyInput(operation: PolicyInput['operation']): PolicyInput {
    return {
      principal: this.principalFacts,
      session: this.facts(),
      resource: this.resource,
      operation,
      time: this.policyTime(),
    };
  }

  /** `time` of the policy's input: RFC 3339, UTC, whole seconds. */
  policyTime(): string {
    return policyTime(this.services.nowMs());
  }

  facts(): SessionFacts {
    return {
      id: this.id,
      run: this.principal.run ?? null,
      operations: this.#operations,
      rows: this.#rows,
      bytes: this.#bytes,
      denials: this.#denials,
    };
  }

  /** Number of the operation that is about to be submitted. */
  nextOperation(): number {
    return this.#operations + 1;
  }

  submitted(operation: number, intent: bigint): Running {
    this.#operations = operation;
    return { operation, intent, startedAtNanos: process.hrtime.bigint() };
  }

  /** Puts the end of an operation on record and into the running summary. @throws RecordUnavailable */
  completed(running: Running, end: Omit<OperationCompleted, 'operation' | 'durationMicros'>): void {
    this.#rows += end.rows;
    this.#bytes += end.bytes;
    if (end.outcome === 'refused') this.#denials++;
    this.recorder.write('operation.completed', {
      operation: running.operation,
      durationMicros: Number((process.hrtime.bigint() - running.startedAtNanos) / 1000n),
      ...end,
    });
  }

  /** Starts the end; true for the first caller only. */
  ending(): boolean {
    const first = this.#state === 'opening' || this.#state === 'live';
    this.#state = transition(this.#state, 'ended');
    return first;
  }

  /** Puts the end on record, signed. @throws RecordUnavailable */
  close(reason: EndReason, detail?: string): bigint {
    const offset = this.recorder.close({
      reason,
      ...(detail === undefined ? {} : { detail }),
      operations: this.#operations,
      rows: this.#rows,
      bytes: this.#bytes,
      denials: this.#denials,
    });
    this.#state = transition(this.#state, 'recorded');
    return offset;
  }
}
