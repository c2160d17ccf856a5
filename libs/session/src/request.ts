import type { Operation } from '@sallyport/operation';
import type { Verdict } from '@sallyport/verdict';
import type { Refusal } from './refusal.js';

/** One operation as a protocol's engine hands it to the pipeline. `Plan` is how its result will be masked. */
export interface Request<Plan = unknown> {
  readonly operation: Operation;
  /** As sent by the agent. Recorded only as far as `record` and the masks allow. */
  readonly statement: string;
  readonly parameters?: readonly (string | null)[];
  /** A write is forwarded only after its record is durable; a read overlaps, and its result waits (P1). */
  readonly effect: 'read' | 'write';
  /** Aborted when the agent cancels or leaves: a hold stops waiting. */
  readonly signal: AbortSignal;
  /** How the result is masked under this verdict, or why it can't be (P5). */
  plan(verdict: Verdict): Planned<Plan> | Promise<Planned<Plan>>;
}

export type Planned<Plan> = { readonly plan: Plan } | { readonly refusal: Refusal };
