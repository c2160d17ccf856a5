/** A rule that spoke: its Rego package path and the title of its METADATA. */
export interface Rule {
  readonly path: string;
  readonly title: string;
}

/** How a masked value is shown. Types keep their type: what has no text form becomes null. */
export type MaskWay = 'redact' | 'null' | 'partial' | 'hash';

/** `column` is `schema.table.column`. */
export interface MaskRule {
  readonly column: string;
  readonly with: MaskWay;
}

/** What a hold asks for. `windowMs` starts at approval; its end is enforced on the live session. */
export interface ApprovalRequirement {
  readonly groups: readonly string[];
  readonly count: number;
  readonly windowMs: number;
}

/** The answer to one operation. A deny is a value, never an exception. */
export interface Verdict {
  readonly decision: 'allow' | 'deny' | 'hold';
  /** The policy revision that judged: hex SHA-256 over bundle and grants. */
  readonly revision: string;
  /** Never empty: an allow names the grants behind it, a deny the rules, a default deny `sallyport.default`. */
  readonly rules: readonly Rule[];
  /** For the agent: what is wrong, one sentence each. Empty for an allow. */
  readonly reasons: readonly string[];
  /** For the agent: what to do about it. */
  readonly hint?: string;
  readonly masks: readonly MaskRule[];
  /** Rows after which a result is cut off with an error. */
  readonly rowLimit?: number;
  /** Credential profiles of the grants that matched this principal and resource, sorted. */
  readonly profiles: readonly string[];
  /** Present exactly when the decision is `hold`. */
  readonly approval?: ApprovalRequirement;
  /** Key of the sound cache: two inputs with this key have the same verdict at this revision. */
  readonly cacheKey: string;
  /** A grant with `rules: off` applied. */
  readonly rulesOff: boolean;
}
