import type { EdgeMetrics } from '@sallyport/adapter-metrics';
import type { PolicyInput, Verdict, VerdictPort } from '@sallyport/verdict';

/** The same verdicts, with the time each takes in the figures. */
export function timedVerdicts(verdicts: VerdictPort, metrics: EdgeMetrics): VerdictPort {
  const observe = (verdict: Verdict, startedAt: bigint): Verdict => {
    metrics.decided(verdict.decision, Number(process.hrtime.bigint() - startedAt) / 1e9);
    return verdict;
  };
  return {
    get revision() {
      return verdicts.revision;
    },
    decide(input: PolicyInput) {
      const startedAt = process.hrtime.bigint();
      const verdict = verdicts.decide(input);
      return verdict instanceof Promise ? verdict.then((answer) => observe(answer, startedAt)) : observe(verdict, startedAt);
    },
  };
}
