import { percentile } from '../measure/spread.mjs';

/** Asks again and again, `inFlight` at a time; each question differs from the others. */
export async function askDecisions({ ask, inFlight, seconds }) {
  const until = performance.now() + seconds * 1000;
  const latencies = [];
  const began = performance.now();
  let question = 0;
  const one = async () => {
    while (performance.now() < until) {
      const asked = performance.now();
      await ask(question++);
      latencies.push((performance.now() - asked) * 1000);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return {
    perSecond: (1000 * latencies.length) / (performance.now() - began),
    p50Micros: percentile(latencies, 0.5),
    p99Micros: percentile(latencies, 0.99),
  };
}
