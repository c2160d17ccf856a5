import { NestFactory } from '@nestjs/core';
import type { DynamicModule, INestApplicationContext, LoggerService } from '@nestjs/common';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { RebuildState, StoreLimits } from '@sallyport/adapter-postgres-store';
import type { Bus } from '@sallyport/bus';
import type { SigningKey, VerifierKey } from '@sallyport/events';
import { distrustReport, type Roster } from '@sallyport/trust';
import { codeOf } from './errors.js';
import { Ingest } from './ingest.js';
import type { Log } from './log.js';
import { ProjectorMetrics } from './metrics.js';
import { PROJECTIONS_ASKED } from './projections.controller.js';
import type { ProjectionsAsked } from './projections.controller.js';
import { ProjectorModule } from './projector.module.js';
import type { ProjectorStatus } from './status.js';
import { isWrongOption, StoreConnection } from './store-connection.js';

export interface ProjectorOptions {
  readonly bus: Bus;
  /** What `projections.status` and `projections.rebuild` come in by. Without, only the returned object can be asked. */
  readonly transport?: CustomTransportStrategy;
  /** `postgres://…`. Secret. */
  readonly storeUrl: string;
  readonly schema?: string;
  readonly storeLimits?: Partial<StoreLimits>;
  /** Whose word counts: a record of the control stream that none of these has signed is folded into nothing. */
  readonly roster: Roster;
  /** `ledger/NAME`, another one in each replica: signs the checkpoints of the partitions of the sessions topic that are this replica's. */
  readonly ledgerKey: SigningKey;
  /** All keys that sign or signed checkpoints, of every replica: asked each time. Default: those of the roster. */
  readonly ledgerKeys?: () => readonly VerifierKey[];
  readonly checkpointEveryEvents?: number;
  readonly checkpointEveryMs?: number;
  /** How often a read model that somebody put back is looked for. Default {@link STORE_CHECK_MS}. */
  readonly storeCheckMs?: number;
  readonly log: Log;
  readonly metrics?: ProjectorMetrics;
  /** Of Nest. Default: none. */
  readonly logger?: LoggerService | false;
  readonly clock?: () => number;
}

export interface Projector {
  status(): Promise<ProjectorStatus>;
  /** A new read model from offset 0 in the place of this one. Rejects with the code of what went wrong; the live one is then as it was. */
  rebuild(): Promise<void>;
  /** The same, begun and not waited for: `status` tells. One that is under way on any replica is joined; an id is one rebuild. */
  beginRebuild(id: string): Promise<RebuildState>;
  /** Signs what is on the log, and ends. */
  close(): Promise<void>;
}

/**
 * Starts to fold the log into the store and to sign it, as one of any number of replicas: the partitions are shared among them. Neither the
 * store nor the log must be within reach: it goes on trying, and says so in `status`. Rejects with `STORE_OPTION` for a URL or a
 * schema that can never do.
 */
export async function createProjector(options: ProjectorOptions): Promise<Projector> {
  const { bus, log, metrics = new ProjectorMetrics(), clock = Date.now, logger = false, transport } = options;
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
    believed: options.ledgerKeys ?? (() => options.roster.ofRole('ledger')),
    ...(options.checkpointEveryEvents === undefined ? {} : { everyEvents: options.checkpointEveryEvents }),
    ...(options.checkpointEveryMs === undefined ? {} : { everyMs: options.checkpointEveryMs }),
  };
  const checking = options.storeCheckMs === undefined ? {} : { storeCheckMs: options.storeCheckMs };
  const onDistrusted = distrustReport({ counted: metrics.distrusted, log, nowMs: clock });
  const reading = { bus, stores, roster: options.roster, onDistrusted, log, metrics, ...checking };
  const module = ProjectorModule.with(reading, { bus, settings, log, metrics, clock });
  const app = await start(module, transport, logger);
  const asked = app.get<ProjectionsAsked>(PROJECTIONS_ASKED);
  return {
    ...asked,
    rebuild: () => app.get(Ingest).rebuilds.toEnd(),
    close: () => app.close(),
  };
}

async function start(
  module: DynamicModule,
  strategy: CustomTransportStrategy | undefined,
  logger: LoggerService | false,
): Promise<INestApplicationContext> {
  if (!strategy) return NestFactory.createApplicationContext(module, { logger });
  const app = await NestFactory.createMicroservice(module, { strategy, logger });
  await app.listen();
  return app;
}
