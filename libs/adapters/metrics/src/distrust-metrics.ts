import { Counter, Registry } from 'prom-client';

/** Records of signed topics that nobody had to believe, as each reader of them counts. */
export class DistrustMetrics {
  readonly #records: Counter<'topic' | 'reason'>;

  constructor(readonly registry = new Registry()) {
    this.#records = new Counter({
      name: 'sallyport_distrusted_records_total',
      help: 'Records that were passed over because nobody who may write such a thing has signed them, by topic and reason',
      labelNames: ['topic', 'reason'],
      registers: [registry],
    });
  }

  readonly counted = (topic: string, reason: string): void => this.#records.inc({ topic, reason });
}
