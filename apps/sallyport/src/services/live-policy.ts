import { PolicyMetrics, type MetricSource } from '@sallyport/adapter-metrics';
import type { Bus } from '@sallyport/bus';
import { type Activated, followPolicies } from '@sallyport/policy-store';
import type { Roster } from '@sallyport/trust';
import type { Engine } from '@sallyport/verdict';
import type { Logger } from 'pino';
import { type LoadedPolicy, loadPolicy, loadPublished, type Policy } from './policy.js';

/** Where a live policy comes from. Number 0 is the configuration's own. */
export interface LiveVersion {
  readonly number: number;
  /** `publisher/NAME`; absent for the configuration's own. */
  readonly author?: string;
  readonly policy: LoadedPolicy;
}

/** The policy that judges now. It changes as a whole: who has taken a reference goes on with that one. */
export interface LivePolicy {
  readonly current: LiveVersion;
  /** Always the one of `current`. */
  readonly engine: Engine;
  /** Called at each switch from now on, behind it. */
  onSwitch(listener: (now: LiveVersion) => void): void;
  readonly metrics: MetricSource;
  close(): Promise<void>;
}

export interface LivePolicyOptions {
  readonly bus: Bus;
  readonly roster: Roster;
  /** What judges as long as nothing is published. */
  readonly configured: Policy;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** The newest valid policy of the topic, and every one after it; as long as there is none, the configured one. Rejects when there is neither. */
export async function livePolicy({ bus, roster, configured, log }: LivePolicyOptions): Promise<LivePolicy> {
  const metrics = new PolicyMetrics();
  const own = await settled(loadPolicy(configured));
  let current: LiveVersion | undefined = own.ok ? { number: 0, policy: own.value } : undefined;
  const listeners: ((now: LiveVersion) => void)[] = [];
  const followed = await followPolicies({
    bus,
    roster,
    load: loadPublished,
    onActivated: ({ number, author, loaded }: Activated<LoadedPolicy>) => {
      const now = (current = { number, author, policy: loaded });
      metrics.activated(number);
      log.info({ number, author, revision: loaded.revision }, 'a published policy judges from here on');
      for (const listener of listeners) listener(now);
    },
    onRefused: ({ reason, detail }, { offset }) => {
      metrics.refused(reason);
      log.error({ reason, detail, offset: `${offset}` }, 'a published policy is refused; the live one stays');
    },
    onError: (error) => log.error({ err: error }, 'the policies can not be followed'),
  });
  const live = (): LiveVersion => {
    if (current) return current;
    throw own.ok ? new Error('unreachable') : own.error;
  };
  try {
    const { number, policy } = live();
    if (number > 0 && own.ok && own.value.revision !== policy.revision)
      log.warn(
        { number, published: policy.revision, configured: own.value.revision },
        'the published policy judges, not the configured one',
      );
  } catch (error) {
    await followed.close();
    throw error;
  }
  return {
    get current() {
      return live();
    },
    engine: { evaluate: (entrypoint, input) => live().policy.engine.evaluate(entrypoint, input) },
    onSwitch: (listener) => void listeners.push(listener),
    metrics: () => metrics.registry.getMetricsAsJSON(),
    close: () => followed.close(),
  };
}

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

async function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error }),
  );
}
