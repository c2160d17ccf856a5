import type { SessionLimits } from '@sallyport/session';
import type { LiveSessionLimits } from './live-sessions.js';
import type { PostgresListenerLimits } from './postgres/listener.js';
import type { OpenLimits } from './postgres/open.js';
import type { SpoolLimits } from './spool.js';

/** Every limit of the edge; what each protects and its default are in docs/limits.md. */
export interface EdgeLimits extends SessionLimits, LiveSessionLimits, PostgresListenerLimits, OpenLimits, SpoolLimits {
  readonly maxHolds: number;
  readonly maxHoldsPerPrincipal: number;
  readonly maxParsedBytes: number;
  readonly maxParsedDepth: number;
  readonly maxParsedComments: number;
  readonly maxMaskPlans: number;
  readonly maxMaskedNames: number;
  readonly maxMaskParameters: number;
  readonly maxMaskRelations: number;
  readonly catalogMaxAgeMs: number;
  readonly catalogQueryTimeoutMs: number;
  readonly maxCatalogQueries: number;
  readonly maxCatalogEntries: number;
  readonly statementCacheMaxBytes: number;
  readonly revocationSkewMs: number;
  readonly shutdownTimeoutMs: number;
}
