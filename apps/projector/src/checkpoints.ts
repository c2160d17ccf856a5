import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { TOPICS } from '@sallyport/bus';
import { LogCheckpoints } from './log-checkpoints.js';
import type { CheckpointPorts, CheckpointStatus } from './log-checkpoints.js';
import { aborted, supervised } from './supervised.js';
import type { Supervised, Supervision } from './supervised.js';

export const CHECKPOINT_PORTS = Symbol('CHECKPOINT_PORTS');

/** At shutdown, what is on the log already is still read and signed, for so long. */
const DRAIN_MS = 2000;
const DRAIN_POLL_MS = 5;

/** Reads the sessions topic by itself, beside the store, and signs it: an outage of the read model is none of the ledger's. */
@Injectable()
export class Checkpoints implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #logs: readonly LogCheckpoints[] = [];
  #running: Supervised | undefined;
  #failure: unknown;

  constructor(@Inject(CHECKPOINT_PORTS) private readonly ports: CheckpointPorts) {}

  get status(): readonly CheckpointStatus[] {
    return this.#logs.map(({ status }) => status);
  }

  /** Done when the log is being read, or the first try has failed. */
  async onApplicationBootstrap(): Promise<void> {
    let tried = (): void => {};
    const first = new Promise<void>((resolve) => (tried = resolve));
    this.#running = supervised(
      (supervision) => this.#run(supervision, tried),
      (error) => {
        tried();
        this.#failure = error;
        for (const log of this.#logs) log.failed(error);
        if (this.#logs.length === 0)
          this.ports.log.warn({ code: (error as { code?: string }).code }, 'the log can not be read to be signed');
      },
    );
    await first;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#drain().catch(() => {});
    await this.#running?.stop();
    for (const log of this.#logs) await log.finish().catch((error: unknown) => log.failed(error));
  }

  async #run({ signal, well }: Supervision, reading: () => void): Promise<void> {
    const { bus } = this.ports;
    const ends = await bus.ends(TOPICS.sessions);
    if (this.#logs.length === 0) this.#logs = ends.map(({ partition }) => new LogCheckpoints(TOPICS.sessions, partition, this.ports));
    const offsets: Record<number, bigint> = {};
    for (const log of this.#logs) offsets[log.partition] = await log.start();
    this.#failure = undefined;
    const consumption = await bus.consume({
      topic: TOPICS.sessions,
      start: { at: 'offsets', offsets },
      onBatch: async (batch) => {
        await this.#logs.find(({ partition }) => partition === batch[0]?.partition)?.append(batch);
        well();
      },
      onError: (error) => {
        for (const log of this.#logs) log.failed(error);
      },
    });
    reading();
    try {
      await aborted(signal);
    } finally {
      await consumption.close();
    }
  }

  async #drain(): Promise<void> {
    if (this.#failure !== undefined) return;
    const ends = await this.ports.bus.ends(TOPICS.sessions);
    const behind = (): boolean =>
      this.#logs.some(
        (log) => log.status.state === 'signing' && log.next < (ends.find(({ partition }) => partition === log.partition)?.next ?? 0n),
      );
    for (let waitedMs = 0; behind() && waitedMs < DRAIN_MS; waitedMs += DRAIN_POLL_MS) await pause(DRAIN_POLL_MS);
  }
}
