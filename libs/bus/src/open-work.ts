import { BusError } from './bus-error.js';
import type { ConsumeOptions, Consumption } from './bus.port.js';

/** What was opened for a consumer, and how it ends. */
export interface Opened extends Pick<Consumption, 'starts'> {
  stop(): Promise<void>;
}

/** For who implements a {@link Bus}: its calls under way and its consumers, which have to be over before it is closed. */
export class OpenWork {
  readonly #consumptions = new Set<Consumption>();
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(private readonly limits: { readonly maxConsumers: number }) {}

  /** A call of the bus. Rejects with `BUS_CLOSED` once it is closed. */
  track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new BusError('BUS_CLOSED', 'the bus is closed'));
    const running = work();
    this.#underWay.add(running);
    const done = (): void => void this.#underWay.delete(running);
    running.then(done, done);
    return running;
  }

  /** A consumer, counted until it is closed. Rejects with `BUS_OPTION` or `BUS_BUSY` before anything is opened. */
  async consume({ group, partitions }: ConsumeOptions, open: () => Promise<Opened>): Promise<Consumption> {
    const { maxConsumers } = this.limits;
    if (group !== undefined && partitions) throw new BusError('BUS_OPTION', 'a group decides about partitions itself');
    if (this.#consumptions.size >= maxConsumers) throw new BusError('BUS_BUSY', `more than ${maxConsumers} consumers`);
    const { stop, ...starts } = await open();
    let closed: Promise<void> | undefined;
    const consumption: Consumption = {
      ...starts,
      close: () => (closed ??= stop().finally(() => this.#consumptions.delete(consumption))),
    };
    this.#consumptions.add(consumption);
    return consumption;
  }

  /** From here on nothing new is taken; the same end for whoever closes again. `end` awaits what is open with {@link finished}. */
  close(end: () => Promise<void>): Promise<void> {
    this.#closed ??= end();
    return this.#closed;
  }

  async finished(): Promise<void> {
    // Consumers first: a batch that is under way may still be committed.
    await Promise.all([...this.#consumptions].map((consumption) => consumption.close()));
    await Promise.allSettled(this.#underWay);
  }
}
