import type { Limits } from '@sallyport/config';
import { freezeDeep, type PolicyInput, projectionOnto, type Verdict, type VerdictPort } from '@sallyport/verdict';
import { LRUCache } from 'lru-cache';
import { loadPolicy, type Policy } from './policy.js';

/**
 * Verdicts of the decision service, asked over the bus and remembered by the paths that the policy reads (the sound cache).
 * What the service says of another revision is passed on and not remembered.
 */
export async function remoteVerdicts(
  policy: Policy,
  ask: (input: PolicyInput) => Promise<Verdict>,
  limits: Pick<Limits, 'verdictCacheEntries'>,
): Promise<VerdictPort> {
  const { revision, inputPaths } = await loadPolicy(policy);
  const projection = projectionOnto(inputPaths);
  const cache = new LRUCache<string, Verdict>({ max: limits.verdictCacheEntries });
  const asking = new Map<string, Promise<Verdict>>();
  return {
    revision,
    decide(input) {
      const key = projection.keyOf(input);
      const known = cache.get(key) ?? asking.get(key);
      if (known) return known;
      const answer = ask(input)
        .then((verdict) => {
          freezeDeep(verdict);
          if (verdict.revision === revision) cache.set(key, verdict);
          return verdict;
        })
        .finally(() => asking.delete(key));
      asking.set(key, answer);
      return answer;
    },
  };
}
