import { randomUUID } from 'node:crypto';
import type { Bus } from '@sallyport/bus';
import type { SigningKey } from '@sallyport/events';
import { writeControl } from '@sallyport/trust';
import type { Logger } from 'pino';
import type { LivePolicy, LiveVersion } from './live-policy.js';

export interface ActivationsOptions {
  readonly bus: Pick<Bus, 'produce'>;
  /** `decision/NAME` */
  readonly key: SigningKey;
  readonly live: LivePolicy;
  readonly log: Pick<Logger, 'error'>;
}

/** Which policy judges from here on is part of the record: says so now, and at each switch. */
export async function recordActivations({ bus, key, live, log }: ActivationsOptions): Promise<void> {
  const write = ({ policy: { revision, bundle } }: LiveVersion): Promise<void> =>
    writeControl(bus, key, { id: randomUUID(), subject: revision, key: revision, timeMs: Date.now() }, 'policy.activated', {
      revision,
      bundle,
      grants: revision,
    });
  let written: Promise<void> = write(live.current);
  live.onSwitch((now) => {
    written = written
      .then(() => write(now))
      .catch((error: unknown) => log.error({ err: error, revision: now.policy.revision }, 'the switch of the policy is not on record'));
  });
  await written;
}
