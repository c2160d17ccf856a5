import { LeaseError } from './errors.js';
import type { SealedLeaseRequest } from './lease.js';

export const LEASE_REQUEST_LIMITS = { maxNameChars: 256, maxSubjectChars: 2048, maxProfiles: 32, maxSealedTokenChars: 256 * 1024 } as const;

export interface LeaseDrop {
  readonly id: string;
  readonly resource: string;
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxChars;
}

function invalid(what: string): LeaseError {
  return new LeaseError('LEASE_REQUEST_INVALID', `a lease request must have ${what}`);
}

/** What came over the bus, as a request. Throws `LEASE_REQUEST_INVALID`; the message quotes nothing. */
export function checkLeaseRequest(value: unknown): SealedLeaseRequest {
  const { maxNameChars, maxSubjectChars, maxProfiles, maxSealedTokenChars } = LEASE_REQUEST_LIMITS;
  const it = (typeof value === 'object' && value !== null ? value : {}) as Record<keyof SealedLeaseRequest, unknown>;
  if (!isText(it.session, maxNameChars)) throw invalid('a session');
  if (!isText(it.resource, maxNameChars)) throw invalid('a resource');
  if (!isText(it.subject, maxSubjectChars)) throw invalid('a subject');
  if (it.database !== undefined && !isText(it.database, maxNameChars)) throw invalid('a database with a name, or none');
  if (!Array.isArray(it.profiles) || it.profiles.length > maxProfiles || !it.profiles.every((each) => isText(each, maxNameChars))) {
    throw invalid(`at most ${maxProfiles} profiles`);
  }
  if (!Number.isSafeInteger(it.notAfterMs)) throw invalid('an end');
  if (typeof it.publicKey !== 'object' || it.publicKey === null) throw invalid('a public key');
  if (it.run !== null && !isText(it.run, maxNameChars)) throw invalid('a run with a name, or null');
  if (!isText(it.sealedToken, maxSealedTokenChars)) throw invalid('a sealed token');
  return it as unknown as SealedLeaseRequest;
}

export function checkLeaseDrop(value: unknown): LeaseDrop {
  const it = (typeof value === 'object' && value !== null ? value : {}) as Record<keyof LeaseDrop, unknown>;
  if (!isText(it.id, LEASE_REQUEST_LIMITS.maxNameChars)) throw invalid('an id');
  if (!isText(it.resource, LEASE_REQUEST_LIMITS.maxNameChars)) throw invalid('a resource');
  return { id: it.id, resource: it.resource };
}
