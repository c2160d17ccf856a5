import { GATHERING_LIMITS, type GatheringLimits } from './gathering.js';
import type { PlacesLimits } from './places.js';
import { INTAKE_LIMITS, type IntakeLimits } from './request-intake.js';

export interface BusServerLimits extends IntakeLimits, PlacesLimits, GatheringLimits {
  /** How long closing waits for the requests that are with a handler. */
  readonly drainTimeoutMs: number;
}

export const BUS_SERVER_LIMITS: BusServerLimits = {
  maxRunningRequests: 256,
  maxRunningPerCaller: 192,
  maxWaitingPerCaller: 4096,
  maxWaitingBytesPerCaller: 16 * 2 ** 20,
  drainTimeoutMs: 10_000,
  ...INTAKE_LIMITS,
  ...GATHERING_LIMITS,
};

/** Undefined is the default. Whoever sets `maxRunningRequests` alone leaves a quarter of it to other callers, as the default does. */
export function serverLimits(options: Partial<BusServerLimits>): BusServerLimits {
  const given = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => name in BUS_SERVER_LIMITS && value !== undefined),
  ) as Partial<BusServerLimits>;
  const { maxRunningRequests = BUS_SERVER_LIMITS.maxRunningRequests } = given;
  return { ...BUS_SERVER_LIMITS, maxRunningPerCaller: Math.ceil((maxRunningRequests * 3) / 4), ...given };
}
