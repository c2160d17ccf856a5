import type { StringPlan, ValueSettings } from '@sallyport/masking';
import type { PostgresOperation } from '@sallyport/operation';
import type { EndReason, Planned } from '@sallyport/session';
import type { Verdict } from '@sallyport/verdict';
import type { NameLimits } from './session-names.js';
import type { Asked, Statements } from './statements.js';

export interface RelayLimits extends NameLimits {
  readonly maxFrameBytes: number;
  /** What an agent may send ahead while an operation waits; then its socket isn't read. */
  readonly maxPipelinedBytes: number;
  /** Of the rows of one operation that are kept where `record` is `full`. */
  readonly recordedRowsMaxBytes: number;
  /** How long the target may take to finish after the agent said goodbye. */
  readonly terminateTimeoutMs: number;
  /** A session in which nothing is said for so long is closed; 0: never. */
  readonly idleTimeoutMs: number;
}

/** How this session's results are masked (P5). */
export interface SessionMasks {
  readonly values: ValueSettings;
  /** Some verdict of this session had masks: from then on errors and notices are looked at too. */
  readonly active: boolean;
  /** Nothing is under way at the target, and what it reported is up to date. */
  settled(status: 'I' | 'T' | 'E'): void;
  close(): void;
  plan(asked: Asked, verdict: Verdict): Planned<StringPlan> | Promise<Planned<StringPlan>>;
  /** The target may mean something else by the same names from here on. */
  changed(operation: PostgresOperation): void;
  parameterStatus(name: string, value: string): void;
}

/** What the relay needs of the edge around it. */
export interface RelayHost {
  readonly limits: RelayLimits;
  readonly statements: Statements;
  readonly masks: SessionMasks;
  /** Cancels what runs at the target; never rejects. */
  cancelTarget(): Promise<void>;
  /** The credential is to be dropped, and the closing event written when everything before it is. Called once. */
  ended(reason: EndReason, detail: string | undefined, finished: Promise<void>): void;
  refused(kind: string): void;
  /** Something that can't be: a fault of ours. The session ends, the others go on. */
  fault(error: unknown): void;
}
