/** Who can get a token from the development issuer. */
export interface DevPrincipal {
  /** `sub`; for a workload also its client id. */
  readonly subject: string;
  readonly kind: 'person' | 'workload';
  readonly groups: readonly string[];
  /** The `act` chain, nearest first: who acts for the subject. */
  readonly actors?: readonly { readonly subject: string; readonly issuer?: string }[];
  readonly run?: string;
}

/**
 * The staff of a small shop: an agent that reads (masked) customers, a crew whose planner writes stock when a DBA agrees, that DBA, and
 * somebody who watches.
 */
export const DEV_PRINCIPALS: readonly DevPrincipal[] = [
  { subject: 'agent-analyst', kind: 'workload', groups: ['analysts'] },
  { subject: 'crew-stock', kind: 'workload', groups: ['crews'], actors: [{ subject: 'agent-stock-planner' }] },
  { subject: 'dana', kind: 'person', groups: ['dba'] },
  { subject: 'sam', kind: 'person', groups: ['security'] },
];

/** What a single token says other than its principal's usual. */
export interface TokenOverrides {
  /** At least 1000; tokens count in whole seconds, rounded up. */
  readonly ttlMs?: number;
  readonly audience?: string;
  readonly groups?: readonly string[];
  readonly actors?: DevPrincipal['actors'];
  readonly run?: string;
}

/** The claims of an access token beside the registered ones. */
export function extraClaims(principal: DevPrincipal, overrides: TokenOverrides = {}): Record<string, unknown> {
  const { groups, actors = [], run } = { ...principal, ...overrides };
  const act = [...actors].reverse().reduce<object | undefined>(
    (inner, { subject, issuer }) => ({
      sub: subject,
      ...(issuer === undefined ? {} : { iss: issuer }),
      ...(inner === undefined ? {} : { act: inner }),
    }),
    undefined,
  );
  return {
    sallyport_kind: principal.kind,
    groups: [...groups],
    ...(act === undefined ? {} : { act }),
    ...(run === undefined ? {} : { run }),
  };
}
