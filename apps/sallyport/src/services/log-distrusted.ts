import type { Logger } from 'pino';

/** Between two lines of the same reason: who floods the bus must not fill the log. */
const LOG_INTERVAL_MS = 10_000;
/** Ordinary too: an answer that came late, and a request that was sent again. */
const ORDINARY: ReadonlySet<string> = new Set(['nobody-waits', 'replayed']);

/** Says in the log which requests or replies on the bus were not believed, and how many. */
export function logDistrusted(log: Logger): (reason: string) => void {
  const seen = new Map<string, { count: number; saidAtMs: number }>();
  return (reason) => {
    const of = seen.get(reason) ?? { count: 0, saidAtMs: Number.NEGATIVE_INFINITY };
    seen.set(reason, of);
    of.count += 1;
    const nowMs = performance.now();
    if (nowMs - of.saidAtMs < LOG_INTERVAL_MS) return;
    of.saidAtMs = nowMs;
    log[ORDINARY.has(reason) ? 'debug' : 'warn']({ reason, count: of.count }, 'a request or a reply on the bus was not believed');
  };
}
