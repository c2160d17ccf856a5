import { chainHash, type StreamState } from '@sallyport/events';
import type { SpoolEntry } from '@sallyport/session';

/** A session that has no closing event yet: what is needed to write one for it after a kill. */
export interface OpenStream extends StreamState {
  readonly subject: string;
  readonly source: string;
  /** Operations whose intent is on record and whose end isn't. */
  readonly unfinished: readonly number[];
}

interface Open {
  readonly subject: string;
  readonly source: string;
  sequence: number;
  /** Hashed only when somebody asks. */
  last: Uint8Array | string;
  readonly unfinished: Set<number>;
}

/**
 * The open sessions of one spool, as a fold of its events. It is written at the head of each of the spool's segments, so that
 * it survives the segments that are forgotten.
 */
export class OpenTable {
  readonly #open = new Map<string, Open>();

  static from(saved: Uint8Array): OpenTable {
    const table = new OpenTable();
    if (saved.length === 0) return table;
    for (const { session, head, unfinished, ...rest } of JSON.parse(Buffer.from(saved).toString()) as OpenStream[]) {
      table.#open.set(session, { ...rest, last: head, unfinished: new Set(unfinished) });
    }
    return table;
  }

  get size(): number {
    return this.#open.size;
  }

  apply({ session, type, operation, bytes }: Omit<SpoolEntry, 'purpose'>): void {
    if (type === 'session.closed' || type === 'session.aborted') {
      this.#open.delete(session);
      return;
    }
    let open = this.#open.get(session);
    if (!open) {
      const { subject, source, sequence } = JSON.parse(Buffer.from(bytes).toString()) as {
        subject: string;
        source: string;
        sequence: number;
      };
      open = { subject, source, sequence, last: bytes, unfinished: new Set() };
      this.#open.set(session, open);
    }
    open.sequence++;
    open.last = bytes;
    if (operation === undefined) return;
    if (type === 'operation.submitted') open.unfinished.add(operation);
    if (type === 'operation.completed') open.unfinished.delete(operation);
  }

  list(): OpenStream[] {
    return [...this.#open].map(([session, { subject, source, sequence, last, unfinished }]) => ({
      session,
      subject,
      source,
      sequence,
      head: typeof last === 'string' ? last : chainHash(last),
      unfinished: [...unfinished],
    }));
  }

  save(): Uint8Array {
    return Buffer.from(JSON.stringify(this.list()));
  }
}
