import { createHash } from 'node:crypto';
import type { BusRecord } from '@sallyport/bus';
import type { Roster } from '@sallyport/trust';
import type { PublishedPolicy } from './published-policy.js';
import { type Read, readPublished } from './read-published.js';
import { type Refused, refusalOf } from './refusal.js';

/** Makes of a policy what judges. What it throws is why the policy is refused; the same policy must give the same everywhere. */
export type LoadPublished<Loaded> = (policy: PublishedPolicy) => Loaded;

/** A policy that was live, or is. */
export interface Activated<Loaded> extends Omit<PublishedPolicy, 'files' | 'grants'> {
  readonly loaded: Loaded;
  /** Of its record. */
  readonly offset: bigint;
}

export type Offered<Loaded> =
  | { readonly ok: true; readonly activated: Activated<Loaded> }
  /** `policy` when it could be read as one. */
  | ({ readonly ok: false; readonly policy?: Omit<PublishedPolicy, 'files' | 'grants'> } & Refused);

/**
 * The line of live policies: a fold of the topic. A record becomes the live policy when a publisher has signed it, its number is above the
 * live one's, and it loads; else it is refused and the live one stays. So the live policy is the valid one with the greatest number, the
 * first on the log of those with the same: whoever reads the same log has the same one, in whatever order they looked at it.
 */
export class PolicyLine<Loaded> {
  #live: Activated<Loaded> | undefined;
  /** Key of a record → what stood first under it, as far as a publisher has signed it. */
  readonly #first = new Map<string, { readonly offset: bigint; readonly digest: string }>();

  /** @param live  where the line begins; default: at nothing */
  constructor(
    private readonly roster: Roster,
    private readonly load: LoadPublished<Loaded>,
    live?: Activated<Loaded>,
  ) {
    this.#live = live;
  }

  get live(): Activated<Loaded> | undefined {
    return this.#live;
  }

  isAhead(number: number, offset: bigint): boolean {
    const live = this.#live;
    return live === undefined || number > live.number || (number === live.number && offset < live.offset);
  }

  /**
   * The policy that a record publishes. A copy of one that was read is told by its bytes: whoever may write can write a genuine record
   * again and again, and must not have each one unpacked by everybody.
   */
  read(record: BusRecord): Read {
    const first = this.#first.get(record.key ?? '');
    if (first && first.offset < record.offset && first.digest === digestOf(record))
      return { ok: false, reason: 'old-number', detail: `it is a copy of the record at offset ${first.offset}` };
    const read = readPublished(this.roster, record);
    if (read.ok && (!first || record.offset < first.offset))
      this.#first.set(record.key ?? '', { offset: record.offset, digest: digestOf(record) });
    return read;
  }

  offer(record: BusRecord): Offered<Loaded> {
    const read = this.read(record);
    if (!read.ok) return read;
    const { files: _, grants: __, ...policy } = read.policy;
    const { offset } = record;
    if (!this.isAhead(policy.number, offset))
      return {
        ok: false,
        reason: 'old-number',
        detail: `number ${policy.number} is not above ${this.#live?.number}, which is live`,
        policy,
      };
    try {
      this.#live = { ...policy, loaded: this.load(read.policy), offset };
      return { ok: true, activated: this.#live };
    } catch (error) {
      return { ok: false, ...refusalOf(error), policy };
    }
  }
}

function digestOf({ value }: BusRecord): string {
  return createHash('sha256').update(value).digest('base64');
}
