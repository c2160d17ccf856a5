import type { Unsigned } from '@sallyport/trust';

/** Why a record of the policy topic changes nothing: the live policy stays. The label of a metric, so there are few. */
export type PolicyRefusal =
  | Unsigned
  /** Signed by somebody who belongs here and is no publisher. */
  | 'not-a-publisher'
  /** No published policy, or one under another key or name than it was signed for. */
  | 'malformed'
  /** Its number isn't above the live one's: older, a copy, or second in a race. */
  | 'old-number'
  /** It isn't the revision that it says. */
  | 'revision'
  /** The manifest isn't one, or isn't this module's. */
  | 'bundle'
  | 'grants'
  | 'builtins'
  | 'entrypoints'
  /** The module doesn't compile, start or judge. */
  | 'engine';

/** By the code of what was thrown while a policy was loaded. */
const REASONS: Readonly<Record<string, PolicyRefusal>> = {
  POLICY_REVISION: 'revision',
  POLICY_MANIFEST_INVALID: 'bundle',
  POLICY_PATH_INVALID: 'bundle',
  POLICY_BUNDLE_DIGEST: 'bundle',
  POLICY_GRANTS_INVALID: 'grants',
  POLICY_DATA_TOO_LARGE: 'grants',
  POLICY_BUILTIN_MISSING: 'builtins',
  POLICY_ENTRYPOINT_MISSING: 'entrypoints',
};

export interface Refused {
  readonly reason: PolicyRefusal;
  /** For people; never quotes policy or grants. */
  readonly detail: string;
}

/** What a failure to load a policy is called. */
export function refusalOf(error: unknown): Refused {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return { reason: REASONS[code] ?? 'engine', detail: error instanceof Error ? error.message : 'unknown' };
}
