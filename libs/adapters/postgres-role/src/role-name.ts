import { LeaseError } from '@sallyport/lease';

/** Longest name of an installation: with it a role's name stays within PostgreSQL's 63 bytes. */
const INSTALLATION = /^[a-z0-9]{1,16}$/;
const LEASE_ID = /^[0-9a-f]{32}$/;

/** How one installation names its roles. Two installations on one server don't touch each other's. */
export interface RoleNames {
  of(leaseId: string): string;
  /** The lease id in a role's name; null when the role isn't ours. */
  leaseId(role: string): string | null;
  /** Every role of ours starts with it. */
  readonly prefix: string;
  /** Owns what sessions left behind. Outside the prefix, so no sweep takes it for a session's role. */
  readonly estate: string;
}

export function roleNames(installation: string): RoleNames {
  if (!INSTALLATION.test(installation)) {
    throw new LeaseError('LEASE_CONFIG', 'the installation id must be 1 to 16 lower-case letters or digits');
  }
  const prefix = `sallyport_${installation}_`;
  return {
    prefix,
    estate: `estate_of_sallyport_${installation}`,
    of(leaseId) {
      if (!LEASE_ID.test(leaseId)) throw new LeaseError('LEASE_REQUEST_INVALID', 'a lease id must be 32 hex digits');
      return prefix + leaseId;
    },
    leaseId(role) {
      const id = role.startsWith(prefix) ? role.slice(prefix.length) : '';
      return LEASE_ID.test(id) ? id : null;
    },
  };
}
