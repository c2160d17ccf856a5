import { BusError } from '@sallyport/bus';
import type { Cluster, TopicShape } from '../cluster.js';
import { asBusError, check, KafkaFault } from '../faults.js';
import type { Link } from '../link.js';
import { Pauses } from '../pauses.js';
import type { PreparedRecord } from '../wire/record-batch.js';
import { type ProducedPartition, sendBatches } from '../wire/produce.js';
import { type Batch, type Parcel, PartitionQueue } from './partition-queue.js';

/** A batch's own bytes beside its largest record. */
const BATCH_ROOM_BYTES = 1024;

/** One batch that is at the broker. */
interface Sent {
  readonly queue: PartitionQueue;
  readonly batch: Batch;
}

/**
 * Writes one topic. While a request is at a broker, later calls gather, and go with the next one: one request per broker at a time, one batch per
 * partition at a time.
 */
export class TopicWriter {
  readonly #queues = new Map<number, PartitionQueue>();
  /** The brokers that are being written to; -1 while it isn't known which. */
  readonly #lanes = new Set<number>();
  readonly #links = new Map<number, Link>();
  #expiry: NodeJS.Timeout | undefined;

  constructor(
    private readonly cluster: Cluster,
    private shape: TopicShape,
  ) {}

  get partitions(): number {
    return this.#now().leaders.length;
  }

  /** Of records of one call, in order. Resolves with their offsets. */
  write(partition: number, records: readonly PreparedRecord[]): Promise<readonly bigint[]> {
    const deadlineMs = Date.now() + this.cluster.settings.limits.produceTimeoutMs;
    return new Promise((resolve, reject) => {
      const parcel: Parcel = { records, deadlineMs, resolve, reject };
      this.#queue(partition).add(parcel);
      this.#arm();
      this.#kick();
    });
  }

  /** Rejects what has not resolved. */
  abandon(error: Error): void {
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    for (const queue of this.#queues.values()) queue.abandon(error);
    for (const link of this.#links.values()) link.close();
  }

  #queue(partition: number): PartitionQueue {
    const { maxRecordBytes } = this.cluster.settings.limits;
    const known = this.#queues.get(partition);
    if (known) return known;
    const queue = new PartitionQueue(partition, maxRecordBytes + BATCH_ROOM_BYTES);
    this.#queues.set(partition, queue);
    return queue;
  }

  /** Old news is better than none: a leader that has changed says so. */
  #now(): TopicShape {
    return (this.shape = this.cluster.known(this.shape.topic) ?? this.shape);
  }

  #leaderOf(queue: PartitionQueue): number {
    return this.cluster.known(this.shape.topic)?.leaders[queue.partition] ?? -1;
  }

  #ready(): PartitionQueue[] {
    return [...this.#queues.values()].filter((queue) => queue.hasWork && !queue.busy);
  }

  #kick(): void {
    if (this.cluster.signal.aborted) return;
    for (const queue of this.#ready()) {
      const leader = this.#leaderOf(queue);
      if (this.#lanes.has(leader)) continue;
      this.#lanes.add(leader);
      void (leader < 0 ? this.#learn() : this.#run(leader)).finally(() => {
        this.#lanes.delete(leader);
        this.#kick();
      });
    }
  }

  /** Until there is a leader for what waits, or nothing waits any more. */
  async #learn(): Promise<void> {
    const pauses = new Pauses(this.cluster.signal);
    const lost = (): PartitionQueue[] => this.#ready().filter((queue) => this.#leaderOf(queue) < 0);
    while (lost().length > 0 && !this.cluster.signal.aborted) {
      try {
        await this.cluster.refresh(this.shape.topic);
      } catch (error) {
        if (!(error instanceof KafkaFault && error.passes)) for (const queue of lost()) queue.abandon(asBusError(error) as Error);
      }
      if (lost().length > 0) await pauses.wait();
    }
  }

  /** Sends what there is for one broker, until there is nothing. */
  async #run(leader: number): Promise<void> {
    const pauses = new Pauses(this.cluster.signal);
    for (;;) {
      const queues = this.#ready().filter((queue) => this.#leaderOf(queue) === leader);
      if (queues.length === 0 || this.cluster.signal.aborted) return;
      for (const queue of queues) queue.busy = true;
      let goesOn = false;
      try {
        goesOn = await this.#round(leader, queues);
      } finally {
        for (const queue of queues) queue.busy = false;
      }
      if (goesOn) pauses.reset();
      else await pauses.wait();
    }
  }

  /** One request and what comes of it. False when it is better to pause before the next. */
  async #round(leader: number, queues: readonly PartitionQueue[]): Promise<boolean> {
    const { requestTimeoutMs } = this.cluster.settings.limits;
    let sent: Sent[] = [];
    try {
      const link = await this.#link(leader);
      for (const queue of queues) if (queue.needsProducer) await this.#introduce(link, queue);
      sent = queues.filter((queue) => queue.hasWork).map((queue) => ({ queue, batch: queue.batch() }));
      if (sent.length === 0) return true;
      const parts = sent.map(({ queue, batch }) => ({ partition: queue.partition, batch: batch.bytes }));
      const answers = await sendBatches(link, this.shape.topic, parts, requestTimeoutMs);
      return sent.map((one) => this.#settle(one, answers)).every(Boolean);
    } catch (error) {
      this.cluster.forget(this.shape.topic);
      if (error instanceof KafkaFault && error.passes) return false;
      // Before anything was sent: what waits is refused for the same reason.
      for (const queue of queues) queue.abandon(asBusError(error) as Error);
      return false;
    }
  }

  /** False when this partition has to be tried again after a pause. */
  #settle({ queue, batch }: Sent, answers: readonly ProducedPartition[]): boolean {
    const answer = answers.find(({ partition }) => partition === queue.partition);
    const where = `${this.shape.topic}/${queue.partition}`;
    const fault =
      answer === undefined
        ? new KafkaFault('UNKNOWN_SERVER_ERROR', `${where}: the broker did not answer for it`)
        : answer.errorCode === 0
          ? undefined
          : KafkaFault.of(answer.errorCode, where);
    if (!fault) {
      queue.acknowledge(batch, BigInt(answer!.baseOffset));
      return true;
    }
    if (fault.isAboutSequence) {
      queue.dropProducer();
      return false;
    }
    if (fault.passes) {
      this.cluster.forget(this.shape.topic);
      return false;
    }
    const tooLarge = fault.code === 'MESSAGE_TOO_LARGE' || fault.code === 'RECORD_LIST_TOO_LARGE';
    if (!tooLarge || !queue.split(batch)) queue.giveUp(batch, asBusError(fault) as Error);
    return true;
  }

  async #introduce(link: Link, queue: PartitionQueue): Promise<void> {
    const { requestTimeoutMs } = this.cluster.settings.limits;
    const body = { transactionalId: null, transactionTimeout: requestTimeoutMs };
    const answer = await link.request<{ errorCode: number; producerId: string; producerEpoch: number }>(
      'InitProducerId',
      body,
      requestTimeoutMs,
    );
    check(answer.errorCode, 'a producer id');
    queue.useProducer({ id: BigInt(answer.producerId), epoch: answer.producerEpoch });
  }

  async #link(leader: number): Promise<Link> {
    const known = this.#links.get(leader);
    if (known?.isOpen) return known;
    const link = await this.cluster.open(leader);
    this.#links.set(leader, link);
    return link;
  }

  /** One timer for everything that waits: deadlines of a partition only grow. */
  #arm(): void {
    if (this.#expiry !== undefined) return;
    const earliest = Math.min(...[...this.#queues.values()].map(({ deadlineMs }) => deadlineMs));
    if (earliest === Infinity) return;
    this.#expiry = setTimeout(
      () => {
        this.#expiry = undefined;
        for (const queue of this.#queues.values()) queue.expire(Date.now(), (wasSent) => this.#late(wasSent));
        this.#arm();
      },
      Math.max(1, earliest - Date.now()),
    );
  }

  #late(wasSent: boolean): BusError {
    const { produceTimeoutMs } = this.cluster.settings.limits;
    const known = wasSent ? 'nobody knows whether it is on the log' : 'it was not sent';
    return new BusError('BUS_FAILED', `${this.shape.topic}: not acknowledged within ${produceTimeoutMs} ms; ${known}`);
  }
}
