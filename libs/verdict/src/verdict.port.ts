import type { PolicyInput } from './policy-input.js';
import type { Verdict } from './verdict.js';

/**
 * The second door. Answers at once (no promise) when it can, so that the data path allocates nothing for it.
 * It throws or rejects only when it can't judge at all; the caller then refuses (P2).
 */
export interface VerdictPort {
  /** The live revision; changes when a policy is activated. */
  readonly revision: string;
  decide(input: PolicyInput): Verdict | Promise<Verdict>;
}
