import type { Lease } from '@sallyport/lease';

/** The lease stream, written by the vendor. Never the secret. */
export interface LeaseEvents {
  'lease.issued': Lease;
  'lease.dropped': { readonly id: string; readonly resource: string; readonly login: string };
  'lease.swept': { readonly id: string; readonly resource: string; readonly login: string };
  'lease.failed': { readonly id: string; readonly resource: string; readonly login: string; readonly code: string };
}
