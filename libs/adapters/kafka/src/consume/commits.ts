import type { Cluster } from '../cluster.js';
import { persist } from '../pauses.js';
import { commitOffsets, type Member } from './group-requests.js';

/** The commits of one member in one generation: those that come while one is under way go together with the next. */
export class Commits {
  #pending = new Map<number, bigint>();
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly place: { readonly group: string; readonly topic: string; readonly member: Member },
    /** Of commits that nobody waits for. */
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Durable when it resolves. Rejects when the partition is somebody else's. */
  now(partition: number, next: bigint): Promise<void> {
    this.#pending.set(partition, next);
    return this.flush();
  }

  soon(partition: number, next: bigint): void {
    this.#pending.set(partition, next);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.flush().catch(this.onError);
    }, this.cluster.settings.limits.commitIntervalMs);
  }

  /** Everything until now. */
  flush(): Promise<void> {
    this.#next ??= this.#last.then(() => {
      this.#next = undefined;
      const done = this.#send();
      this.#last = done.catch(() => undefined);
      return done;
    });
    return this.#next;
  }

  /** What is pending is dropped. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending.clear();
  }

  async #send(): Promise<void> {
    if (this.#pending.size === 0) return;
    const offsets = this.#pending;
    this.#pending = new Map();
    const { group, topic, member } = this.place;
    await persist(this.cluster.settings.limits.callTimeoutMs, this.cluster.signal, () =>
      commitOffsets(this.cluster, group, topic, offsets, member),
    );
  }
}
