import { randomUUID } from 'node:crypto';
import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { writeControl } from '@sallyport/trust';
import type { Logger } from 'pino';

/** The policy that judges, and who wants to know of another one. */
export interface JudgingPolicy {
  readonly current: JudgingVersion;
  /** Called at each switch from now on. */
  onSwitch(listener: (now: JudgingVersion) => void): void;
}

interface JudgingVersion {
  /** `bundle` is the hex SHA-256 of the compiled policy. */
  readonly policy: { readonly revision: string; readonly bundle: string };
}

export interface ActivationsOptions {
  readonly bus: Pick<Bus, 'produce'>;
  /** `decision/NAME` */
  readonly key: SigningKey;
  readonly policy: JudgingPolicy;
  readonly nowMs: () => number;
  readonly log: Pick<Logger, 'error'>;
}

/** Which policy judges from here on is part of the record: says so now, and at each switch. */
export async function recordActivations({ bus, key, policy, nowMs, log }: ActivationsOptions): Promise<void> {
  const write = ({ policy: { revision, bundle } }: JudgingVersion): Promise<void> =>
    writeControl(bus, key, { id: randomUUID(), subject: revision, key: revision, timeMs: nowMs() }, 'policy.activated', {
      revision,
      bundle,
      grants: revision,
    });
  let written: Promise<void> = write(policy.current);
  policy.onSwitch((now) => {
    written = written
      .then(() => write(now))
      .catch((error: unknown) => log.error({ err: error, revision: now.policy.revision }, 'the switch of the policy is not on record'));
  });
  await written;
}
