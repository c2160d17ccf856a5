import type { Cluster } from '../cluster.js';
import { KafkaFault } from '../faults.js';
import type { Link } from '../link.js';
import { linkedTo, pause, Pauses, unlessAborted } from '../pauses.js';
import { heartbeat, joinGroup, leaveGroup, type Member, syncGroup } from './group-requests.js';

export interface MembershipOptions {
  readonly group: string;
  readonly topic: string;
  /** These partitions are this member's until `revoke`. A rejection has the member join anew. */
  assign(partitions: readonly number[], member: Member): Promise<void>;
  /** Lets go of every partition. `lost` when they may be somebody else's already, so that nothing can be committed. */
  revoke(lost: boolean): Promise<void>;
  /** What keeps the member out of its group. It goes on trying. */
  onError(error: unknown): void;
}

/** The group knows another generation, or doesn't know us. */
const FORGOTTEN = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID']);
const REBALANCE = 'REBALANCE_IN_PROGRESS';
const FAILURES_UNTOLD = 3;

/** How one generation ended for this member. */
type End = 'shared-anew' | 'lost' | 'left';

/**
 * One member of a consumer group, by the classic protocol (join, sync, heartbeat, leave). It is heard by the broker as long as it has
 * partitions, whatever their handlers do. Why not kafkajs's consumer: docs/adr/0018.
 */
export class Membership {
  readonly #leaving: AbortController;
  readonly #running: Promise<void>;
  #memberId = '';
  #link: Link | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: MembershipOptions,
  ) {
    this.#leaving = linkedTo(cluster.signal);
    this.#running = this.#run();
  }

  get #signal(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Lets go of the partitions, then says goodbye. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    // Waiting for others to join would keep it here; a member with partitions has nothing under way that matters.
    this.#link?.close();
    await this.#running;
    if (this.#memberId === '' || this.cluster.signal.aborted) return;
    // Who isn't heard saying goodbye is missed after `sessionTimeoutMs`.
    await leaveGroup(this.cluster, this.options.group, this.#memberId).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const pauses = new Pauses(this.#signal);
    let failures = 0;
    while (!this.#signal.aborted) {
      try {
        const end = await this.#generation();
        failures = 0;
        pauses.reset();
        if (end === 'lost') this.#memberId = '';
      } catch (error) {
        if (this.#signal.aborted) return;
        const code = error instanceof KafkaFault ? error.code : '';
        if (FORGOTTEN.has(code)) this.#memberId = '';
        else if (code !== REBALANCE) {
          this.#link?.close();
          failures += 1;
          if (!(error instanceof KafkaFault && error.passes) || failures > FAILURES_UNTOLD) this.options.onError(error);
        }
        await pauses.wait();
      }
    }
  }

  /** From joining to letting go. */
  async #generation(): Promise<End> {
    const { group, topic, assign, revoke } = this.options;
    const link = await unlessAborted(this.#signal, this.#connect());
    const joined = await joinGroup(this.cluster, link, group, topic, this.#memberId);
    this.#memberId = joined.memberId;
    const partitions = await syncGroup(this.cluster, link, group, topic, joined);
    const news = linkedTo(this.#signal);
    const heart = new Heart(this.cluster, group, joined, { connect: () => this.#connect(), news });
    // A leader looks after new partitions, which nobody else would share out.
    const count = joined.members.length > 0 ? this.cluster.known(topic)?.leaders.length : undefined;
    try {
      await unlessAborted(this.#signal, assign(partitions, joined));
      return await this.#untilEnd(heart, topic, count, news.signal);
    } catch (error) {
      await revoke(true);
      throw error;
    } finally {
      heart.stop();
      news.abort();
    }
  }

  async #untilEnd(heart: Heart, topic: string, count: number | undefined, news: AbortSignal): Promise<End> {
    const { heartbeatIntervalMs } = this.cluster.settings.limits;
    let end: End | undefined;
    while (end === undefined) {
      if (this.#signal.aborted) end = 'left';
      else if (heart.lost) end = 'lost';
      else if (heart.rebalancing || (count !== undefined && (this.cluster.known(topic)?.leaders.length ?? count) !== count))
        end = 'shared-anew';
      else {
        if (count !== undefined) this.cluster.shape(topic).catch(() => undefined);
        await pause(heartbeatIntervalMs, news);
      }
    }
    await this.options.revoke(end === 'lost');
    return heart.lost ? 'lost' : end;
  }

  async #connect(): Promise<Link> {
    if (!this.#link?.isOpen) {
      this.#link = await this.cluster.open(await this.cluster.coordinator(this.options.group));
      if (this.#leaving.signal.aborted && this.#memberId === '') this.#link.close();
    }
    return this.#link;
  }
}

/** Says every `heartbeatIntervalMs` that the member is there, and learns what has become of its generation. */
class Heart {
  readonly #stopping = new AbortController();
  rebalancing = false;
  lost = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly group: string,
    private readonly member: Member,
    /** `news` is given when the generation ends. */
    private readonly to: { connect(): Promise<Link>; readonly news: AbortController },
  ) {
    void this.#beat();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #beat(): Promise<void> {
    const { heartbeatIntervalMs, sessionTimeoutMs } = this.cluster.settings.limits;
    let heardAt = Date.now();
    for (;;) {
      await pause(heartbeatIntervalMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted || this.cluster.signal.aborted) return;
      try {
        await heartbeat(this.cluster, await this.to.connect(), this.group, this.member);
        heardAt = Date.now();
      } catch (error) {
        const code = error instanceof KafkaFault ? error.code : '';
        if (code === REBALANCE) {
          // Heard all the same: the session goes on until everybody has joined anew.
          heardAt = Date.now();
          this.rebalancing = true;
        } else if (FORGOTTEN.has(code) || Date.now() - heardAt > sessionTimeoutMs) this.lost = true;
      }
      if (this.rebalancing || this.lost) this.to.news.abort();
      if (this.lost) return;
    }
  }
}
