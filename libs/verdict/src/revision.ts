import { digestOf } from './digest.js';

/**
 * The name of a policy revision: hex SHA-256 over the bundle's files, in order, and the grants as canonical JSON. Equal revisions
 * judge alike, wherever they were built.
 */
export function revisionOf(bundle: readonly Uint8Array[], grantsCanonicalJson: string): string {
  return digestOf('sallyport.revision.v1', [...bundle, grantsCanonicalJson]);
}
