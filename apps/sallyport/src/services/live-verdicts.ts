import type { Limits } from '@sallyport/config';
import { type PolicyInput, type Verdict, type VerdictPort, verdicts } from '@sallyport/verdict';
import type { Logger } from 'pino';
import type { LivePolicy } from './live-policy.js';
import type { LoadedPolicy } from './policy.js';
import { remoteVerdicts } from './remote-verdicts.js';

/** Verdicts of the live policy, made here. Each revision has a cache of its own. */
export function liveVerdicts(live: LivePolicy, limits: Pick<Limits, 'verdictCacheEntries'>, log: Pick<Logger, 'error'>): VerdictPort {
  return switching(live, ({ engine, revision, inputPaths }) =>
    verdicts(engine, {
      revision,
      inputPaths,
      cacheMaxEntries: limits.verdictCacheEntries,
      onFailure: (error) => log.error({ err: error }, 'the policy could not judge; the operation is refused'),
    }),
  );
}

/** Verdicts of the decision services, remembered under the live policy. */
export function liveRemoteVerdicts(
  live: LivePolicy,
  ask: (input: PolicyInput) => Promise<Verdict>,
  limits: Pick<Limits, 'verdictCacheEntries'>,
): VerdictPort {
  return switching(live, (policy) => remoteVerdicts(policy, ask, limits));
}

/** One reference is exchanged: what was asked before is answered by the revision that it was asked of. */
function switching(live: LivePolicy, portOf: (policy: LoadedPolicy) => VerdictPort): VerdictPort {
  let port = portOf(live.current.policy);
  live.onSwitch(({ policy }) => (port = portOf(policy)));
  return {
    get revision() {
      return port.revision;
    },
    decide: (input) => port.decide(input),
  };
}
