import { NestFactory } from '@nestjs/core';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { Bus } from '@sallyport/bus';
import type { IdentityPort } from '@sallyport/identity';
import type { Engine, VerdictPort } from '@sallyport/verdict';
import type { Logger } from 'pino';
import { DecisionModule } from './decision.module.js';
import { OpenHolds } from './open-holds.js';

export interface DecisionOptions {
  readonly bus: Bus;
  /** What requests come in by: a Nest transport, as the bus's `BusServer`. */
  readonly transport: CustomTransportStrategy;
  readonly identity: IdentityPort;
  /** Of the live policy, as `verdicts` is. */
  readonly engine: Engine;
  readonly verdicts: VerdictPort;
  readonly holdTimeoutMs: number;
  readonly log: Logger;
  readonly nowMs?: () => number;
}

/** Starts the decision service: verdicts for edges that ask, and the answers of people to what is held. */
export async function createDecision(options: DecisionOptions): Promise<{ close(): Promise<void> }> {
  const { bus, identity, engine, verdicts, log, nowMs = Date.now } = options;
  const holds = new OpenHolds();
  await holds.follow(bus, options.holdTimeoutMs, nowMs(), log);
  const module = DecisionModule.of(verdicts, {
    bus,
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
  await app.listen();
  return {
    async close() {
      await app.close();
      await holds.close();
    },
  };
}
