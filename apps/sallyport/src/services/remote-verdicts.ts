import type { Limits } from '@sallyport/config';
import { freezeDeep, type PolicyInput, projectionOnto, type Verdict, type VerdictPort } from '@sallyport/verdict';
import { LRUCache } from 'lru-cache';
import type { LoadedPolicy } from './policy.js';

/**
 * Verdicts of the decision services, asked over the bus and remembered by the paths that this policy reads (the sound cache). What they
 * say of another revision is used for the one input that it was asked for, and neither remembered nor shared: that revision may read
 * what this one doesn't.
 */
export function remoteVerdicts(
  { revision, inputPaths }: Pick<LoadedPolicy, 'revision' | 'inputPaths'>,
  ask: (input: PolicyInput) => Promise<Verdict>,
  limits: Pick<Limits, 'verdictCacheEntries'>,
): VerdictPort {
  const projection = projectionOnto(inputPaths);
  const cache = new LRUCache<string, Verdict>({ max: limits.verdictCacheEntries });
  const asking = new Map<string, Promise<Verdict>>();
  return {
    revision,
    decide(input) {
      const key = projection.keyOf(input);
      const known = cache.get(key);
      if (known) return known;
      const others = asking.get(key);
      if (others) return others.then((verdict) => (verdict.revision === revision ? verdict : ask(input).then(freezeDeep)));
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
