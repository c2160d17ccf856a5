import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { TOPICS } from '@sallyport/bus';
import type { BusRecord } from '@sallyport/bus';
import { logName } from '@sallyport/ledger';
import { codeOf, ProjectorError } from './errors.js';
import { LogCheckpoints, ledgerKeys } from './log-checkpoints.js';
import type { CheckpointPorts, CheckpointStatus } from './log-checkpoints.js';
import { SignedHeads } from './signed-heads.js';
import { aborted, supervised } from './supervised.js';
import type { Supervised, Supervision } from './supervised.js';
import { Troubles } from './troubles.js';

export const CHECKPOINT_PORTS = Symbol('CHECKPOINT_PORTS');
/** Shares the partitions among all who sign. Nothing is committed: the newest checkpoint has its place beside it. */
export const LEDGER_GROUP = 'projector-ledger';

/** At shutdown, what is on the log already is still read and signed, for so long. */
const DRAIN_MS = 2000;
const DRAIN_POLL_MS = 5;
/** The start waits so long for a first partition; a replica may have none. */
const FIRST_PARTITION_MS = 1000;

/** Reads the sessions topic by itself, beside the store, and signs it: an outage of the read model is none of the ledger's. */
@Injectable()
export class Checkpoints implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Those that were this replica's at some time. */
  readonly #logs = new Map<number, LogCheckpoints>();
  readonly #troubles = new Troubles();
  #partitions: readonly number[] = [];
  #heads: SignedHeads | undefined;
  #running: Supervised | undefined;
  #assigned: () => void = () => {};

  constructor(@Inject(CHECKPOINT_PORTS) private readonly ports: CheckpointPorts) {}

  /** Of all partitions, whoever signs them. */
  get status(): readonly CheckpointStatus[] {
    return this.#partitions.map((partition) => {
      const log = logName(TOPICS.sessions, partition);
      const signed = this.#heads?.size(log) ?? -1;
      const own = this.#logs.get(partition)?.status;
      return own ? { ...own, signed: Math.max(own.signed, signed) } : { log, signed, state: 'elsewhere', failure: null };
    });
  }

  /** Codes of what is not one partition's. */
  get failures(): readonly string[] {
    return this.#troubles.codes;
  }

  /** Done when the log is being read, or the first try has failed. */
  async onApplicationBootstrap(): Promise<void> {
    let tried = (): void => {};
    const first = new Promise<void>((resolve) => (tried = resolve));
    this.#running = supervised(
      (supervision) => this.#run(supervision, tried),
      (error) => {
        tried();
        this.#failed(error);
      },
    );
    await first;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#drain().catch(() => {});
    await this.#running?.stop();
    for (const log of this.#logs.values()) await log.finish().catch((error: unknown) => log.failed(error));
  }

  async #run({ signal, well }: Supervision, reading: () => void): Promise<void> {
    const { bus, settings } = this.ports;
    this.#partitions = (await bus.ends(TOPICS.sessions)).map(({ partition }) => partition);
    const heads = new SignedHeads({
      bus,
      logs: this.#partitions.map((partition) => logName(TOPICS.sessions, partition)),
      keys: () => ledgerKeys(settings),
      onSigned: (name, size, signer) => {
        if (signer.id === settings.key.id) return;
        for (const log of this.#logs.values()) if (log.name === name) log.signedElsewhere(size);
      },
      onError: (error) => this.#failed(error),
    });
    this.#heads = heads;
    const restart = new AbortController();
    const assigned = new Promise<void>((resolve) => (this.#assigned = resolve));
    try {
      await heads.start();
      const consumption = await bus.consume({
        topic: TOPICS.sessions,
        group: LEDGER_GROUP,
        start: { at: 'stored', offsetOf: (partition) => this.#startOf(partition) },
        onBatch: async (batch) => {
          await this.#append(batch, restart);
          well();
        },
        onError: (error) => this.#failed(error),
      });
      this.#troubles.over();
      const waited = new AbortController();
      await Promise.race([assigned, aborted(signal), pause(FIRST_PARTITION_MS, undefined, { signal: waited.signal }).catch(() => {})]);
      waited.abort();
      reading();
      try {
        await Promise.race([aborted(signal), aborted(restart.signal)]);
      } finally {
        await consumption.close();
      }
    } finally {
      await heads.close();
    }
  }

  /** The partition is this replica's now: it goes on from whatever is signed, by whomever. */
  async #startOf(partition: number): Promise<bigint> {
    const log = this.#logs.get(partition) ?? new LogCheckpoints(TOPICS.sessions, partition, this.ports);
    this.#logs.set(partition, log);
    try {
      const offset = await log.start();
      this.#troubles.over();
      return offset;
    } catch (error) {
      log.failed(error);
      throw error;
    } finally {
      this.#assigned();
    }
  }

  async #append(batch: readonly BusRecord[], restart: AbortController): Promise<void> {
    const log = batch[0] && this.#logs.get(batch[0].partition);
    try {
      await log?.append(batch);
      this.#troubles.over();
    } catch (error) {
      log?.failed(error);
      // The bus left something out: start again from what is signed.
      if (error instanceof ProjectorError) restart.abort();
      throw error;
    }
  }

  #failed(error: unknown): void {
    const code = codeOf(error);
    if (this.#troubles.tell(code)) this.ports.log.warn({ code }, 'the log can not be read to be signed');
  }

  async #drain(): Promise<void> {
    if (this.#troubles.codes.length > 0) return;
    const ends = await this.ports.bus.ends(TOPICS.sessions);
    const behind = (): boolean =>
      [...this.#logs.values()].some(
        (log) => log.status.state === 'signing' && log.next < (ends.find(({ partition }) => partition === log.partition)?.next ?? 0n),
      );
    for (let waitedMs = 0; behind() && waitedMs < DRAIN_MS; waitedMs += DRAIN_POLL_MS) await pause(DRAIN_POLL_MS);
  }
}
