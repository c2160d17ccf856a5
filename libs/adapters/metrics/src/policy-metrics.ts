import { Counter, Gauge, Registry } from 'prom-client';

/** What a service tells of the policies that it follows. */
export class PolicyMetrics {
  readonly registry = new Registry();
  readonly #refused = new Counter({
    name: 'sallyport_policy_refused_total',
    help: 'Published policies that this service refused, by reason; the live one stayed',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly #number = new Gauge({
    name: 'sallyport_policy_number',
    help: 'Number of the live policy; 0 is the configured one',
    registers: [this.registry],
    // Of several threads: the figure is not a sum.
    aggregator: 'max',
  });

  activated(number: number): void {
    this.#number.set(number);
  }

  refused(reason: string): void {
    this.#refused.inc({ reason });
  }
}
