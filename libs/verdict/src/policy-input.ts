import type { Actor } from '@sallyport/identity';
import type { Operation } from '@sallyport/operation';

/** Asked once, when a session opens: may this principal reach this resource, and with which credential profiles? */
export interface ConnectOperation {
  readonly kind: 'connect';
  /** `postgres.connect`, `ssh.connect`, … */
  readonly class: string;
  readonly classes: readonly string[];
}

/** The running summary of the session so far. */
export interface SessionFacts {
  readonly id: string;
  readonly run: string | null;
  readonly operations: number;
  readonly rows: number;
  readonly bytes: number;
  readonly denials: number;
}

export interface ResourceFacts {
  readonly name: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PrincipalFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly provider: string;
  readonly kind: 'workload' | 'person';
  readonly groups: readonly string[];
  readonly actors: readonly Actor[];
}

/** `input` of `sallyport/verdict`: everything that a policy may read, and what `operation.submitted` keeps for replay. */
export interface PolicyInput {
  readonly principal: PrincipalFacts;
  readonly session: SessionFacts;
  readonly resource: ResourceFacts;
  readonly operation: (Operation & { readonly parameters?: readonly (string | null)[] }) | ConnectOperation;
  /** RFC 3339, UTC, whole seconds. */
  readonly time: string;
}
