import type { ControlEvents, LeaseEvents } from '@sallyport/events';

/**
 * What a service may do on the bus, by the first part of its key's name: `edge/e1` is the edge `e1`. A `publisher` is no service but a
 * person or a pipeline that publishes policies.
 */
export const ROLES = ['edge', 'decision', 'vendor', 'projector', 'console', 'ledger', 'publisher'] as const;
export type Role = (typeof ROLES)[number];

/** An enrolled service, as its signature shows it. */
export interface Service {
  /** `edge/e1`: the name of its key, and with a slash before it the `source` of its events. */
  readonly name: string;
  readonly role: Role;
}

/** Undefined for a name that says no role. */
export function serviceOf(name: string): Service | undefined {
  const slash = name.indexOf('/');
  const role = ROLES.find((one) => one === name.slice(0, slash));
  return role === undefined || slash < 0 || slash === name.length - 1 ? undefined : { name, role };
}

/** Who may write which fact. What isn't here may be written by nobody. */
export const WRITERS: Readonly<Record<keyof ControlEvents | keyof LeaseEvents, readonly Role[]>> = {
  'policy.activated': ['decision'],
  'approval.given': ['decision'],
  'approval.refused': ['decision'],
  'principal.revoked': ['console'],
  'session.revoked': ['console'],
  'service.announced': ['edge', 'decision', 'vendor', 'projector', 'console'],
  'revocation.applied': ['edge'],
  'lease.issued': ['vendor'],
  'lease.dropped': ['vendor'],
  'lease.swept': ['vendor'],
  'lease.failed': ['vendor'],
};
