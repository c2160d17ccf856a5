import { NestFactory } from '@nestjs/core';
import type { LoggerService } from '@nestjs/common';
import type { StoreLimits } from '@sallyport/adapter-postgres-store';
import type { Bus } from '@sallyport/bus';
import type { SigningKey, VerifierKey } from '@sallyport/events';
import { distrustReport, type Roster } from '@sallyport/trust';
import { Checkpoints } from './checkpoints.js';
import { codeOf } from './errors.js';
import { Ingest } from './ingest.js';
import type { TopicStatus } from './ingest.js';
import type { Log } from './log.js';
import type { CheckpointStatus } from './log-checkpoints.js';
import { ProjectorMetrics } from './metrics.js';
import { ProjectorModule } from './projector.module.js';
import { isWrongOption, StoreConnection } from './store-connection.js';
import { Turns } from './turns.js';

export interface ProjectorOptions {
  readonly bus: Bus;
  /** `postgres://…`. Secret. */
  readonly storeUrl: string;
  readonly schema?: string;
  readonly storeLimits?: Partial<StoreLimits>;
  /** Whose word counts: a record of the control stream that none of these has signed is folded into nothing. */
  readonly roster: Roster;
  /** `ledger/NAME`: signs the checkpoints of every partition of the sessions topic. */
  readonly ledgerKey: SigningKey;
  /** Keys that signed before this one. */
  readonly formerLedgerKeys?: readonly VerifierKey[];
  readonly checkpointEveryEvents?: number;
  readonly checkpointEveryMs?: number;
  readonly log: Log;
  readonly metrics?: ProjectorMetrics;
  /** Of Nest. Default: none. */
  readonly logger?: LoggerService | false;
  readonly clock?: () => number;
}

export interface ProjectorStatus {
  readonly topics: readonly TopicStatus[];
  readonly checkpoints: readonly CheckpointStatus[];
  readonly rebuilding: boolean;
  /** Why it can't do its work now; empty when it can. */
  readonly notReady: readonly string[];
}

export interface Projector {
  status(): Promise<ProjectorStatus>;
  /** A new read model from offset 0 in the place of this one. Rejects with the code of what went wrong; the live one is then as it was. */
  rebuild(): Promise<void>;
  /** Signs what is on the log, and ends. */
  close(): Promise<void>;
}

/**
 * Starts to fold the log into the store and to sign it. Neither the store nor the log must be within reach: it goes on trying, and
 * says so in `status`. Rejects with `STORE_OPTION` for a URL or a schema that can never do.
 */
export async function createProjector(options: ProjectorOptions): Promise<Projector> {
  const { bus, log, metrics = new ProjectorMetrics(), clock = Date.now } = options;
  const stores = new StoreConnection({
    url: options.storeUrl,
    ...(options.schema === undefined ? {} : { schema: options.schema }),
    ...(options.storeLimits === undefined ? {} : { limits: options.storeLimits }),
  });
  await stores.get().catch((error: unknown) => {
    if (isWrongOption(error)) throw error;
    log.warn({ code: codeOf(error) }, 'the store is not there yet');
  });
  const settings = {
    key: options.ledgerKey,
    formerKeys: options.formerLedgerKeys ?? [],
    ...(options.checkpointEveryEvents === undefined ? {} : { everyEvents: options.checkpointEveryEvents }),
    ...(options.checkpointEveryMs === undefined ? {} : { everyMs: options.checkpointEveryMs }),
  };
  const onDistrusted = distrustReport({ counted: metrics.distrusted, log, nowMs: clock });
  const reading = { bus, stores, turns: new Turns(), roster: options.roster, onDistrusted, log, metrics };
  const module = ProjectorModule.with(reading, { bus, settings, log, metrics, clock });
  const app = await NestFactory.createApplicationContext(module, { logger: options.logger ?? false });
  const ingest = app.get(Ingest);
  const checkpoints = app.get(Checkpoints);
  return {
    async status() {
      const topics = await ingest.status().catch((error: unknown) => codeOf(error));
      const notReady = [
        ...(typeof topics === 'string' ? [`log: ${topics}`] : []),
        ...ingest.failures,
        ...checkpoints.status.flatMap(({ log: name, failure }) => (failure === null ? [] : [`${name}: ${failure}`])),
      ];
      return {
        topics: typeof topics === 'string' ? [] : topics,
        checkpoints: checkpoints.status,
        rebuilding: ingest.rebuilding,
        notReady,
      };
    },
    rebuild: () => ingest.rebuild(),
    close: () => app.close(),
  };
}
