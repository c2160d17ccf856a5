import { Counter, Gauge, Registry } from 'prom-client';

/** The projector's figures. Labels are topics and codes, never a name or a text. */
export class ProjectorMetrics {
  readonly registry = new Registry();
  readonly #records = new Counter({
    name: 'sallyport_projector_records_total',
    help: 'Events folded into the read model',
    labelNames: ['topic'],
    registers: [this.registry],
  });
  readonly #unreadable = new Counter({
    name: 'sallyport_projector_unreadable_total',
    help: 'Records on the log that are no events',
    labelNames: ['topic'],
    registers: [this.registry],
  });
  readonly #distrusted = new Counter({
    name: 'sallyport_distrusted_records_total',
    help: 'Records that were passed over because nobody who may write such a thing has signed them, by topic and reason',
    labelNames: ['topic', 'reason'],
    registers: [this.registry],
  });
  readonly #failures = new Counter({
    name: 'sallyport_projector_failures_total',
    help: 'Failed tries to read, store or sign, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly #lag = new Gauge({
    name: 'sallyport_projector_lag_records',
    help: 'Records on the log that are not in the read model yet, as last looked at',
    labelNames: ['topic'],
    registers: [this.registry],
  });
  readonly #signed = new Gauge({
    name: 'sallyport_checkpoint_events',
    help: 'Events that the newest checkpoint covers',
    labelNames: ['log'],
    registers: [this.registry],
  });
  readonly #diverged = new Gauge({
    name: 'sallyport_checkpoint_diverged',
    help: '1 when the log is not the one that was signed',
    labelNames: ['log'],
    registers: [this.registry],
  });

  applied(topic: string, records: number, unreadable: number): void {
    this.#records.inc({ topic }, records);
    if (unreadable > 0) this.#unreadable.inc({ topic }, unreadable);
  }

  readonly distrusted = (topic: string, reason: string): void => this.#distrusted.inc({ topic, reason });

  failed(code: string): void {
    this.#failures.inc({ code });
  }

  lag(topic: string, records: number): void {
    this.#lag.set({ topic }, records);
  }

  signed(log: string, events: number): void {
    this.#signed.set({ log }, events);
    this.#diverged.set({ log }, 0);
  }

  diverged(log: string): void {
    this.#diverged.set({ log }, 1);
  }
}
