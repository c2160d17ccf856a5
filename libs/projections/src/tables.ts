import type { ControlEvent, SessionEnvelope, SessionEvent } from '@sallyport/events';
import type { LogEntry } from './entry.js';
import { evolveHoldByAnswer, evolveHoldBySession } from './hold.js';
import type { HoldRow } from './hold.js';
import { evolveLease } from './lease.js';
import type { LeaseRow } from './lease.js';
import { evolveOperation } from './operation.js';
import type { OperationRow } from './operation.js';
import { acknowledgementKey, edgeOf, evolveAcknowledgement, evolveRevocation } from './revocation.js';
import type { AcknowledgementRow, RevocationRow } from './revocation.js';
import { evolveRun } from './run.js';
import type { RunRow } from './run.js';
import { evolveService } from './service.js';
import type { ServiceRow } from './service.js';
import { evolveSession } from './session.js';
import type { SessionRow } from './session.js';
import { keyText } from './values.js';

/** Keys of the rows of {@link Tables} that have two: `SESSION/…`. A session id has no slash. */
export const operationKey = (session: string, operation: number): string => `${session}/${operation}`;
export const holdKey = (session: string, id: string): string => `${session}/${id}`;

/** Rows by key: all of them, or all that a batch touches ({@link touched}). */
export interface Tables {
  readonly sessions: ReadonlyMap<string, SessionRow>;
  readonly operations: ReadonlyMap<string, OperationRow>;
  readonly holds: ReadonlyMap<string, HoldRow>;
  readonly leases: ReadonlyMap<string, LeaseRow>;
  readonly runs: ReadonlyMap<string, RunRow>;
  readonly services: ReadonlyMap<string, ServiceRow>;
  readonly revocations: ReadonlyMap<string, RevocationRow>;
  readonly acknowledgements: ReadonlyMap<string, AcknowledgementRow>;
}

export const EMPTY: Tables = {
  sessions: new Map(),
  operations: new Map(),
  holds: new Map(),
  leases: new Map(),
  runs: new Map(),
  services: new Map(),
  revocations: new Map(),
  acknowledgements: new Map(),
};

/** Which rows a batch may read or change. Runs follow from the sessions: also those that loaded sessions are in. */
export interface Touched {
  readonly sessions: ReadonlySet<string>;
  readonly operations: ReadonlyMap<string, Pick<OperationRow, 'session' | 'operation'>>;
  readonly holds: ReadonlyMap<string, Pick<HoldRow, 'session' | 'id'>>;
  /** All holds of these sessions: they end. */
  readonly holdsOf: ReadonlySet<string>;
  readonly leases: ReadonlySet<string>;
  readonly runs: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  readonly revocations: ReadonlySet<string>;
  readonly acknowledgements: ReadonlyMap<string, Pick<AcknowledgementRow, 'revocation' | 'edge'>>;
}

export function touched(entries: readonly LogEntry[]): Touched {
  const sessions = new Set<string>();
  const operations = new Map<string, Pick<OperationRow, 'session' | 'operation'>>();
  const holds = new Map<string, Pick<HoldRow, 'session' | 'id'>>();
  const holdsOf = new Set<string>();
  const leases = new Set<string>();
  const runs = new Set<string>();
  const services = new Set<string>();
  const revocations = new Set<string>();
  const acknowledgements = new Map<string, Pick<AcknowledgementRow, 'revocation' | 'edge'>>();
  for (const { reading } of entries) {
    if (reading.stream === 'session-unknown') sessions.add(reading.event.sessionid);
    if (reading.stream === 'leases') leases.add(keyText(reading.event.data.id));
    if (reading.stream === 'control') {
      const { event } = reading;
      if (event.type === 'service.announced') services.add(keyText(event.data.service));
      if (event.type === 'principal.revoked' || event.type === 'session.revoked') revocations.add(keyText(event.id));
      if (event.type === 'revocation.applied') {
        const place = { revocation: keyText(event.data.revocation), edge: edgeOf(event) };
        acknowledgements.set(acknowledgementKey(place.revocation, place.edge), place);
      }
      if (event.type !== 'approval.given' && event.type !== 'approval.refused') continue;
      const place = { session: keyText(event.data.session), id: keyText(event.data.hold) };
      holds.set(holdKey(place.session, place.id), place);
    }
    if (reading.stream !== 'session') continue;
    const { event } = reading;
    const session = event.sessionid;
    sessions.add(session);
    for (const operation of operationsOf(event)) operations.set(operationKey(session, operation), { session, operation });
    const id = holdOf(event);
    if (id !== null) holds.set(holdKey(session, id), { session, id });
    if (event.type === 'session.closed' || event.type === 'session.aborted') holdsOf.add(session);
    if (event.type === 'session.opened' && event.data.run !== null) runs.add(keyText(event.data.run));
  }
  return { sessions, operations, holds, holdsOf, leases, runs, services, revocations, acknowledgements };
}

/**
 * Folds entries, in log order, into rows. Pure: `tables` stays as it is, and what comes back holds the rows that changed and no
 * others. Rows that a batch touches and that exist must be in `tables`.
 */
export function fold(tables: Tables, entries: readonly LogEntry[]): Tables {
  const folding = new Folding(tables);
  for (const entry of entries) folding.entry(entry);
  return folding.changed;
}

/** `tables` with the rows of `changed` put in. */
export function merged(tables: Tables, changed: Tables): Tables {
  return {
    sessions: new Map([...tables.sessions, ...changed.sessions]),
    operations: new Map([...tables.operations, ...changed.operations]),
    holds: new Map([...tables.holds, ...changed.holds]),
    leases: new Map([...tables.leases, ...changed.leases]),
    runs: new Map([...tables.runs, ...changed.runs]),
    services: new Map([...tables.services, ...changed.services]),
    revocations: new Map([...tables.revocations, ...changed.revocations]),
    acknowledgements: new Map([...tables.acknowledgements, ...changed.acknowledgements]),
  };
}

class Folding {
  readonly changed = {
    sessions: new Map<string, SessionRow>(),
    operations: new Map<string, OperationRow>(),
    holds: new Map<string, HoldRow>(),
    leases: new Map<string, LeaseRow>(),
    runs: new Map<string, RunRow>(),
    services: new Map<string, ServiceRow>(),
    revocations: new Map<string, RevocationRow>(),
    acknowledgements: new Map<string, AcknowledgementRow>(),
  };
  /** Session → keys of its holds, so that its end finds them. */
  readonly #holdsOf = new Map<string, Set<string>>();

  constructor(private readonly tables: Tables) {
    for (const [key, { session }] of tables.holds) this.#knowHold(session, key);
  }

  entry({ reading, record, identity }: LogEntry): void {
    switch (reading.stream) {
      case 'session':
        if (this.#session(reading.event, record.bytes)) this.#parts(reading.event, record.vouched === true);
        break;
      case 'session-unknown':
        this.#session(reading.event, record.bytes);
        break;
      case 'control':
        this.#control(reading.event, identity ?? '');
        break;
      case 'leases': {
        const key = keyText(reading.event.data.id);
        this.changed.leases.set(key, evolveLease(this.changed.leases.get(key) ?? this.tables.leases.get(key), reading.event));
        break;
      }
      default:
    }
  }

  #control(event: ControlEvent, identity: string): void {
    const { changed, tables } = this;
    switch (event.type) {
      case 'approval.given':
      case 'approval.refused': {
        const key = holdKey(keyText(event.data.session), keyText(event.data.hold));
        return this.#putHold(key, evolveHoldByAnswer(this.#hold(key), event, identity));
      }
      case 'service.announced': {
        const key = keyText(event.data.service);
        const row = evolveService(changed.services.get(key) ?? tables.services.get(key), event);
        if (row) changed.services.set(key, row);
        return;
      }
      case 'principal.revoked':
      case 'session.revoked': {
        const key = keyText(event.id);
        changed.revocations.set(key, evolveRevocation(changed.revocations.get(key) ?? tables.revocations.get(key), event));
        return;
      }
      case 'revocation.applied': {
        const key = acknowledgementKey(keyText(event.data.revocation), edgeOf(event));
        const before = changed.acknowledgements.get(key) ?? tables.acknowledgements.get(key);
        changed.acknowledgements.set(key, evolveAcknowledgement(before, event));
        return;
      }
      default:
    }
  }

  /** False for a redelivered event: then nothing else may hear of it either. */
  #session(event: SessionEnvelope, bytes: Buffer): boolean {
    const before = this.changed.sessions.get(event.sessionid) ?? this.tables.sessions.get(event.sessionid);
    const after = evolveSession(before, event, bytes);
    if (after === before) return false;
    this.changed.sessions.set(event.sessionid, after);
    if (after.run !== null) {
      const run = evolveRun(this.changed.runs.get(after.run) ?? this.tables.runs.get(after.run), before, after);
      if (run) this.changed.runs.set(after.run, run);
    }
    return true;
  }

  #parts(event: SessionEvent, isVouched: boolean): void {
    const session = event.sessionid;
    for (const operation of operationsOf(event)) {
      const key = operationKey(session, operation);
      const before = this.changed.operations.get(key) ?? this.tables.operations.get(key);
      const after = evolveOperation(before, event, { session, operation });
      if (after && after !== before) this.changed.operations.set(key, after);
    }
    const id = holdOf(event);
    // What approvers are shown is its edge's own word, or nothing.
    if (id !== null && (isVouched || event.type !== 'approval.requested')) {
      const key = holdKey(session, id);
      this.#putHold(key, evolveHoldBySession(this.#hold(key), event, { session, id }));
    }
    if (event.type !== 'session.closed' && event.type !== 'session.aborted') return;
    for (const key of this.#holdsOf.get(session) ?? []) {
      const hold = this.#hold(key);
      if (hold) this.#putHold(key, evolveHoldBySession(hold, event, hold));
    }
  }

  #hold(key: string): HoldRow | undefined {
    return this.changed.holds.get(key) ?? this.tables.holds.get(key);
  }

  #putHold(key: string, row: HoldRow | undefined): void {
    if (!row) return;
    this.changed.holds.set(key, row);
    this.#knowHold(row.session, key);
  }

  #knowHold(session: string, key: string): void {
    const keys = this.#holdsOf.get(session) ?? new Set();
    this.#holdsOf.set(session, keys.add(key));
  }
}

function operationsOf(event: SessionEvent): readonly number[] {
  if (event.type === 'operation.submitted' || event.type === 'operation.completed') return [event.data.operation];
  return event.type === 'session.aborted' ? event.data.unfinished : [];
}

function holdOf(event: SessionEvent): string | null {
  return event.type === 'approval.requested' || event.type === 'approval.applied' ? keyText(event.data.hold) : null;
}
