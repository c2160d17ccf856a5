import { generateSigningKey, SessionStream } from '@sallyport/events';
import type { Principal } from '@sallyport/identity';
import type { Operation } from '@sallyport/operation';
import type { PolicyInput, Verdict } from '@sallyport/verdict';
import { Holds } from './holds.js';
import { Recorder } from './recorder.js';
import { Session } from './session.js';
import type { Spool, SpoolEntry } from './spool.port.js';

export interface Written {
  readonly type: string;
  readonly sequence: number;
  readonly prev: string;
  // What an event holds is its own business; a spec looks at what it wants.
  readonly data: Record<string, unknown>;
}

/** A spool in memory that refuses and loses what it is told to. */
export class MemorySpool implements Spool {
  readonly entries: SpoolEntry[] = [];
  /** Entries that it can't take. */
  refuses: (entry: SpoolEntry) => boolean = () => false;
  durableUpTo = Infinity;
  #waiting: { offset: bigint; resolve: () => void; reject: (error: Error) => void }[] = [];

  append(entry: SpoolEntry): bigint {
    if (this.refuses(entry)) throw Object.assign(new Error('full'), { code: 'JOURNAL_FULL' });
    this.entries.push(entry);
    return BigInt(this.entries.length - 1);
  }

  isDurable(offset: bigint): boolean {
    return Number(offset) <= this.durableUpTo;
  }

  durable(offset: bigint): Promise<void> {
    if (this.isDurable(offset)) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ offset, resolve, reject }));
  }

  /** All that was appended is durable now, and stays so. */
  sync(): void {
    this.durableUpTo = Infinity;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  lose(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  get events(): Written[] {
    return this.entries.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Written);
  }
}

export const allow: Verdict = {
  decision: 'allow',
  revision: 'r1',
  rules: [{ path: 'sallyport.grant', title: 'test' }],
  reasons: [],
  masks: [],
  profiles: [],
  cacheKey: 'k',
  rulesOff: false,
};
export const deny: Verdict = { ...allow, decision: 'deny', reasons: ['no'], hint: 'ask' };
export const hold: Verdict = { ...allow, decision: 'hold', approval: { groups: ['dba'], count: 1, windowMs: 60_000 } };

export const principal: Principal = {
  subject: 'agent',
  issuer: 'test',
  provider: 'test',
  kind: 'workload',
  groups: [],
  actors: [],
  expiresAtMs: Date.now() + 3_600_000,
};

export const update: Operation = {
  kind: 'postgres',
  class: 'postgres.write.update',
  classes: ['postgres.write.update'],
  parseable: true,
  fingerprint: 'f',
  normalized: 'UPDATE stock SET qty = $1',
  statements: [],
};

/** A session on a spool in memory, under a policy that the spec gives. */
export function testSession(decide: (input: PolicyInput) => Verdict | Promise<Verdict>, limits: { holdTimeoutMs?: number } = {}) {
  const spool = new MemorySpool();
  const stream = new SessionStream({ session: 's1', source: '/edge/test', subject: 'agent' }, generateSigningKey('edge/test'));
  const holdTimeoutMs = limits.holdTimeoutMs ?? 60_000;
  const holds = new Holds({ maxHolds: 10, maxHoldsPerPrincipal: 2, holdTimeoutMs }, Date.now);
  const session = new Session(
    's1',
    principal,
    { facts: { name: 'shop', kind: 'postgres', labels: {} }, record: 'full' },
    new Recorder(stream, spool, { mode: 'strict', durability: 'disk' }, Date.now),
    {
      verdicts: { revision: 'r1', decide },
      holds,
      nowMs: Date.now,
      limits: { decisionTimeoutMs: 50, recordedTextMaxBytes: 100, holdTimeoutMs },
    },
  );
  return { session, spool, holds, stream };
}
