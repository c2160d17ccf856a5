import type { SessionEvents, SessionEventType, SessionStream } from '@sallyport/events';
import type { Audit, Spool } from './spool.port.js';

/** The log could not take an event. Nothing was taken, and the stream is where it was. */
export class RecordUnavailable extends Error {
  readonly code = 'RECORD_UNAVAILABLE';
}

/** What a session must be let say although the spool is at its limit: how something on record went on and ended. */
const OUTCOMES: ReadonlySet<SessionEventType> = new Set(['approval.applied', 'output.recorded', 'operation.completed', 'session.closed']);

/** Writes one session's stream into the spool, and knows how durable its newest event is. */
export class Recorder {
  #last = -1n;

  constructor(
    private readonly stream: SessionStream,
    private readonly spool: Spool,
    private readonly audit: Audit,
    private readonly nowMs: () => number,
  ) {}

  /** Offset of the newest event in the spool. */
  get last(): bigint {
    return this.#last;
  }

  /** @throws RecordUnavailable */
  write<T extends Exclude<SessionEventType, 'session.closed' | 'session.aborted'>>(type: T, data: SessionEvents[T]): bigint {
    const operation = 'operation' in data ? data.operation : undefined;
    return this.#take(() => this.stream.event(type, data, this.nowMs(), this.#append(type, operation)));
  }

  /** Ends the stream: the closing event is signed. @throws RecordUnavailable */
  close(data: Parameters<SessionStream['close']>[0]): bigint {
    return this.#take(() => this.stream.close(data, this.nowMs(), this.#append('session.closed')));
  }

  isDurable(offset: bigint): boolean {
    return this.spool.isDurable(offset, this.audit.durability);
  }

  durable(offset: bigint): Promise<void> {
    return this.spool.durable(offset, this.audit.durability);
  }

  #append(type: SessionEventType, operation?: number): (bytes: Uint8Array) => void {
    const { session } = this.stream.state;
    const purpose = OUTCOMES.has(type) ? 'outcome' : 'intent';
    const { durability, mode } = this.audit;
    return (bytes) => {
      this.#last = this.spool.append({
        session,
        type,
        bytes,
        purpose,
        durability,
        mode,
        ...(operation === undefined ? {} : { operation }),
      });
    };
  }

  #take(write: () => unknown): bigint {
    try {
      write();
      return this.#last;
    } catch (cause) {
      throw new RecordUnavailable('the log takes no records right now', { cause });
    }
  }
}
