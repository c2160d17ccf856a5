import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DistrustMetrics } from './distrust-metrics.js';

/** From a tenth of a millisecond to a few seconds: what a decision or a synced record takes. */
const LATENCY_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** What the spool tells of itself when it is asked. */
export interface SpoolGauges {
  bytes(): number;
  /** Age of the oldest event that isn't on the bus yet, seconds. */
  oldestSeconds(): number;
}

/** The edge's figures. Names follow Prometheus: base units, `_total` for counters. Labels have few values, never a name or a text. */
export class EdgeMetrics {
  readonly registry = new Registry();
  readonly distrust = new DistrustMetrics(this.registry);
  readonly #open = new Gauge({ name: 'sallyport_sessions_open', help: 'Sessions that are live now', registers: [this.registry] });
  readonly #closed = new Counter({
    name: 'sallyport_sessions_closed_total',
    help: 'Sessions that ended, by reason',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly #operations = new Counter({
    name: 'sallyport_operations_total',
    help: 'Operations judged, by verdict',
    labelNames: ['verdict'],
    registers: [this.registry],
  });
  readonly #refusals = new Counter({
    name: 'sallyport_refusals_total',
    help: 'Operations refused, by reason',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly #signIns = new Counter({
    name: 'sallyport_sign_in_failures_total',
    help: 'Sign-ins that failed, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly #decision = new Histogram({
    name: 'sallyport_decision_seconds',
    help: 'Time to a verdict',
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: [this.registry],
  });
  readonly #record = new Histogram({
    name: 'sallyport_record_seconds',
    help: 'Time from appending a record to its durability',
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: [this.registry],
  });

  /** Adds the spool's gauges; they are read at each scrape. */
  watchSpool(spool: SpoolGauges): void {
    new Gauge({
      name: 'sallyport_spool_bytes',
      help: 'Bytes in the spool that are not on the bus yet',
      registers: [this.registry],
      collect() {
        this.set(spool.bytes());
      },
    });
    new Gauge({
      name: 'sallyport_spool_oldest_seconds',
      help: 'Age of the oldest event that is not on the bus yet',
      registers: [this.registry],
      collect() {
        this.set(spool.oldestSeconds());
      },
    });
  }

  opened(): void {
    this.#open.inc();
  }

  closed(reason: string): void {
    this.#open.dec();
    this.#closed.inc({ reason });
  }

  decided(verdict: string, seconds: number): void {
    this.#operations.inc({ verdict });
    this.#decision.observe(seconds);
  }

  recorded(seconds: number): void {
    this.#record.observe(seconds);
  }

  refused(reason: string): void {
    this.#refusals.inc({ reason });
  }

  signInFailed(code: string): void {
    this.#signIns.inc({ code });
  }
}
