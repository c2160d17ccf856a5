import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { DistrustMetrics } from '@sallyport/adapter-metrics';
import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import type { IdentityPort } from '@sallyport/identity';
import { announce, AnnouncedServices, distrustReport, type Roster } from '@sallyport/trust';
import type { Engine, VerdictPort } from '@sallyport/verdict';
import type { Logger } from 'pino';
import { type JudgingPolicy, recordActivations } from './activations.js';
import { DecisionModule } from './decision.module.js';
import { followHolds } from './follow-holds.js';
import { OpenHolds } from './open-holds.js';

export interface DecisionOptions {
  readonly bus: Bus;
  /** `decision/NAME`: signs what it says on the control stream, and opens what is sealed to the decision services. */
  readonly key: SigningKey;
  /** Whose word counts. */
  readonly roster: Roster;
  /** Filled from the control stream; caught up when the service is there. */
  readonly announced?: AnnouncedServices;
  /** Told of itself when it starts. */
  readonly installation: string;
  readonly version: string;
  /** What requests come in by: a Nest transport, as the bus's `BusServer`. */
  readonly transport: CustomTransportStrategy;
  readonly identity: IdentityPort;
  /** Of the live policy, as `verdicts` is. */
  readonly engine: Engine;
  readonly verdicts: VerdictPort;
  /** What `engine` and `verdicts` are of, for the record. */
  readonly policy: JudgingPolicy;
  readonly limits: { readonly holdTimeoutMs: number; readonly revocationSkewMs: number };
  readonly metrics?: DistrustMetrics;
  readonly log: Logger;
  readonly nowMs?: () => number;
}

/** Starts the decision service: verdicts for edges that ask, and the answers of people to what is held. */
export async function createDecision(options: DecisionOptions): Promise<{ close(): Promise<void> }> {
  const { bus, key, roster, identity, engine, verdicts, limits, log, nowMs = Date.now } = options;
  const { announced = new AnnouncedServices(roster), metrics = new DistrustMetrics() } = options;
  const holds = new OpenHolds(limits, nowMs);
  const consumptions = await followHolds({
    bus,
    roster,
    holds,
    holdTimeoutMs: limits.holdTimeoutMs,
    nowMs: nowMs(),
    announced,
    onDistrusted: distrustReport({ counted: metrics.counted, log, nowMs }),
    log,
  });
  const module = DecisionModule.of(verdicts, {
    bus,
    key,
    identity,
    engine,
    // Of the moment in which it is asked: the engine and its revision change together.
    get revision() {
      return verdicts.revision;
    },
    holds,
    nowMs,
  });
  const app = await NestFactory.createMicroservice(module, { strategy: options.transport, logger: false });
  // Before the first request: what is sealed to the decision services has to be sealed to this one too.
  await announce(bus, key, { installation: options.installation, version: options.version, nowMs: nowMs() });
  await app.listen();
  await recordActivations({ bus, key, policy: options.policy, nowMs, log });
  return {
    async close() {
      await app.close();
      await Promise.all(consumptions.map((consumption) => consumption.close()));
    },
  };
}
