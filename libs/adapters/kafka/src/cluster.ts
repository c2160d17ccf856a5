import { setMaxListeners } from 'node:events';
import { BusError } from '@sallyport/bus';
import { check, KafkaFault } from './faults.js';
import { Link } from './link.js';
import { type Address, addressOf, type KafkaSettings } from './options.js';
import { forMany, persist } from './pauses.js';

interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number; readonly replicas: readonly number[] }[];
  }[];
}

export interface TopicShape {
  readonly topic: string;
  /** The broker that leads each partition; -1 while there is none. */
  readonly leaders: readonly number[];
  readonly replicationFactor: number;
  readonly askedAtMs: number;
}

/** Topics that nobody asked of the broker are not kept. */
const TOPICS_MAX = 1000;

/** Who leads what, and connections to ask it. Knows the brokers by what any of them says, and the configured ones when none of those answers. */
export class Cluster {
  readonly #seeds: readonly Address[];
  readonly #topics = new Map<string, TopicShape>();
  readonly #asking = new Map<string, Promise<TopicShape>>();
  /** One for each broker, for short questions. */
  readonly #shared = new Map<string, Promise<Link>>();
  readonly #links = new Set<Link>();
  readonly #closing = forMany(new AbortController());
  #brokers = new Map<number, Address>();
  #turn = 0;

  constructor(readonly settings: KafkaSettings) {
    this.#seeds = settings.brokers.map(addressOf);
    // One listener for each consumer and wait: `maxConsumers` bounds them, and Node's default warning is about ten.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Given when the cluster closes. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Asks only when nothing is known or it is old. Throws `BUS_TOPIC`. */
  async shape(topic: string): Promise<TopicShape> {
    const known = this.#topics.get(topic);
    if (known && Date.now() - known.askedAtMs < this.settings.limits.metadataMaxAgeMs) return known;
    return this.refresh(topic);
  }

  /** Asks anew; calls that overlap share one question. Keeps trying for `callTimeoutMs`. */
  refresh(topic: string): Promise<TopicShape> {
    const asking =
      this.#asking.get(topic) ??
      persist(this.settings.limits.callTimeoutMs, this.signal, () => this.#ask(topic)).finally(() => this.#asking.delete(topic));
    this.#asking.set(topic, asking);
    return asking;
  }

  /** What is known without asking. */
  known(topic: string): TopicShape | undefined {
    return this.#topics.get(topic);
  }

  /** What was known of the leader is wrong. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** Throws `BUS_PARTITION`, and `LEADER_NOT_AVAILABLE`, which passes. */
  async leader(topic: string, partition: number): Promise<number> {
    let shape = await this.shape(topic);
    if (shape.leaders[partition] === undefined) shape = await this.refresh(topic);
    const leader = shape.leaders[partition];
    if (leader === undefined) throw new BusError('BUS_PARTITION', `${topic} has no partition ${partition}`);
    if (leader >= 0) return leader;
    this.forget(topic);
    throw new KafkaFault('LEADER_NOT_AVAILABLE', `${topic}/${partition} has no leader`);
  }

  /** A connection of the caller's own, closed with the cluster at the latest. */
  async open(broker: number): Promise<Link> {
    return this.#openAt(this.#addressOf(broker));
  }

  /** The connection that everybody uses for short questions to this broker. */
  shared(broker: number): Promise<Link> {
    return this.#sharedAt(this.#addressOf(broker));
  }

  /** To any broker that answers. */
  async any(): Promise<Link> {
    const addresses = [...this.#brokers.values(), ...this.#seeds];
    let fault: unknown;
    for (let tries = 0; tries < addresses.length; tries++) {
      const address = addresses[this.#turn % addresses.length]!;
      try {
        return await this.#sharedAt(address);
      } catch (error) {
        if (this.signal.aborted) throw error;
        fault = error;
        this.#turn += 1;
      }
    }
    throw fault;
  }

  /** The broker that keeps this group. */
  async coordinator(group: string): Promise<number> {
    const link = await this.any();
    const { requestTimeoutMs } = this.settings.limits;
    const answer = await link.request<{ errorCode: number; coordinator: { nodeId: number; host: string; port: number } }>(
      'GroupCoordinator',
      { groupId: group, coordinatorType: 0 },
      requestTimeoutMs,
    );
    check(answer.errorCode, `the coordinator of group ${group}`);
    const { nodeId, host, port } = answer.coordinator;
    this.#brokers.set(nodeId, { host, port });
    return nodeId;
  }

  close(): void {
    this.#closing.abort();
    for (const link of this.#links) link.close();
    this.#links.clear();
  }

  async #ask(topic: string): Promise<TopicShape> {
    const link = await this.any();
    const answer = await link.request<MetadataAnswer>(
      'Metadata',
      { topics: [topic], allowAutoTopicCreation: false },
      this.settings.limits.requestTimeoutMs,
    );
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const found = answer.topicMetadata.find((one) => one.topic === topic);
    const code = found?.topicErrorCode ?? 3;
    // 3 passes elsewhere; a topic that the broker doesn't list isn't there.
    if (code === 3 || code === 17) {
      this.forget(topic);
      throw new BusError('BUS_TOPIC', `there is no topic ${topic}`);
    }
    check(code, `topic ${topic}`);
    const leaders: number[] = [];
    for (const { partitionId, leader } of found!.partitionMetadata) leaders[partitionId] = leader;
    const shape = { topic, leaders, replicationFactor: found!.partitionMetadata[0]?.replicas.length ?? 0, askedAtMs: Date.now() };
    if (this.#topics.size >= TOPICS_MAX) this.#topics.clear();
    this.#topics.set(topic, shape);
    return shape;
  }

  #addressOf(broker: number): Address {
    const address = this.#brokers.get(broker);
    if (!address) throw new KafkaFault('BROKER_NOT_AVAILABLE', `broker ${broker} is not known`);
    return address;
  }

  #sharedAt(address: Address): Promise<Link> {
    const key = `${address.host}:${address.port}`;
    const known = this.#shared.get(key);
    const opening = known
      ? known.then((link) => (link.isOpen ? link : this.#reopen(key, address, known)))
      : this.#reopen(key, address, undefined);
    return opening;
  }

  /** Once for everybody who found the last one closed. */
  #reopen(key: string, address: Address, last: Promise<Link> | undefined): Promise<Link> {
    const newer = this.#shared.get(key);
    if (newer && newer !== last) return newer;
    const opening = this.#openAt(address);
    this.#shared.set(key, opening);
    opening.catch(() => this.#shared.get(key) === opening && this.#shared.delete(key));
    return opening;
  }

  async #openAt(address: Address): Promise<Link> {
    if (this.signal.aborted) throw new KafkaFault('CLOSED', 'the bus is closed');
    const link = await Link.open(address, this.settings);
    if (this.signal.aborted) {
      link.close();
      throw new KafkaFault('CLOSED', 'the bus is closed');
    }
    for (const old of this.#links) if (!old.isOpen) this.#links.delete(old);
    this.#links.add(link);
    return link;
  }
}
