import { LeaseError } from '@sallyport/lease';
import type { Service } from '@sallyport/trust';

/** Who asks, as far as the transport knows it: one whose requests are signed says so in its context. */
export function callerOf(context: unknown): Service | undefined {
  if (typeof context !== 'object' || context === null || !('caller' in context)) return undefined;
  return context.caller as Service | undefined;
}

/** Name of the edge that asks; undefined when the transport doesn't tell. Throws `LEASE_NOT_HOLDER` for any other service. */
export function askingEdge(context: unknown): string | undefined {
  const caller = callerOf(context);
  if (caller && caller.role !== 'edge') throw new LeaseError('LEASE_NOT_HOLDER', 'only an edge has sessions');
  return caller?.name;
}
