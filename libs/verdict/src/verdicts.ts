import { LRUCache } from 'lru-cache';
import { digestOf } from './digest.js';
import type { Engine } from './engine.port.js';
import { freezeDeep } from './frozen.js';
import type { PolicyInput } from './policy-input.js';
import { projectionOnto } from './projection.js';
import type { Verdict } from './verdict.js';
import type { VerdictPort } from './verdict.port.js';
import { readJudgement } from './verdict-shape.js';

export const DEFAULT_CACHE_MAX_ENTRIES = 20_000;
export const DEFAULT_CACHE_MAX_BYTES = 32 * 1024 * 1024;

export interface VerdictsOptions {
  /** Of the policy that the engine was loaded with: `revisionOf`. */
  readonly revision: string;
  /** JSON pointers, from the manifest: every path that `sallyport/verdict` reads. */
  readonly inputPaths: readonly string[];
  readonly cacheMaxEntries?: number;
  /** About: keys and verdicts as JSON, two bytes a character. */
  readonly cacheMaxBytes?: number;
  /** Told when the policy could not judge; the verdict is a deny all the same. */
  readonly onFailure?: (error: unknown) => void;
}

/** A verdict port that answers at once. */
export interface Verdicts extends VerdictPort {
  decide(input: PolicyInput): Verdict;
  readonly cache: { readonly entries: number; readonly hits: number; readonly misses: number };
}

/**
 * Verdicts of one revision, with the sound cache: the policy is given nothing but the paths that the manifest names, so two inputs
 * that agree on them can't be judged differently. `time` is a path like any other; it has whole seconds, so a policy that reads it
 * is cached for one. Never throws (P2): whatever goes wrong is a deny, and is not cached.
 *
 * Freeze what outlives a statement (principal, resource, the facts of a prepared statement): see {@link freezeDeep}. Then a hit
 * walks none of it.
 */
export function verdicts(engine: Engine, options: VerdictsOptions): Verdicts {
  const { revision, onFailure } = options;
  const projection = projectionOnto(options.inputPaths);
  const cache = new LRUCache<string, Verdict>({
    max: options.cacheMaxEntries ?? DEFAULT_CACHE_MAX_ENTRIES,
    maxSize: options.cacheMaxBytes ?? DEFAULT_CACHE_MAX_BYTES,
    sizeCalculation: (verdict, key) => 2 * (key.length + JSON.stringify(verdict).length),
  });
  let hits = 0;
  let misses = 0;

  function judge(input: PolicyInput, cacheKey: string): Verdict | null {
    const value = engine.evaluate('sallyport/verdict', projection.project(input));
    return value === undefined ? null : { ...readJudgement(value), revision, cacheKey };
  }

  return {
    revision,
    get cache() {
      return { entries: cache.size, hits, misses };
    },
    decide(input) {
      let cacheKey = '';
      try {
        const key = projection.keyOf(input);
        const known = cache.get(key);
        if (known !== undefined) {
          hits += 1;
          return known;
        }
        misses += 1;
        cacheKey = digestOf('sallyport.verdict.v1', [revision, key]);
        const verdict = judge(input, cacheKey);
        if (verdict === null) return refusal(revision, cacheKey, UNDEFINED);
        cache.set(key, freezeDeep(verdict));
        return verdict;
      } catch (error) {
        onFailure?.(error);
        return refusal(revision, cacheKey, FAILED);
      }
    },
  };
}

interface Refusal {
  readonly path: string;
  readonly title: string;
  readonly reason: string;
}

const UNDEFINED: Refusal = {
  path: 'sallyport.undefined',
  title: 'What policy does not answer is refused',
  reason: 'The policy has no answer for this operation.',
};

const FAILED: Refusal = {
  path: 'sallyport.error',
  title: 'What policy can not judge is refused',
  reason: 'The policy could not judge this operation.',
};

function refusal(revision: string, cacheKey: string, { path, title, reason }: Refusal): Verdict {
  return {
    decision: 'deny',
    revision,
    rules: [{ path, title }],
    reasons: [reason],
    hint: 'Ask whoever runs the gateway: this is not about your request alone.',
    masks: [],
    profiles: [],
    cacheKey,
    rulesOff: false,
  };
}
