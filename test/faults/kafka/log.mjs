/**
 * The log on Kafka, as an auditor would fold it: who is open, what was asked and how it ended, what is there twice. It is read on from where
 * it was left, and anything that may never be on a log throws.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { TOPICS } from '@sallyport/bus';

export const MARKER = /m-[a-z0-9.]+-\d+-/g;
const READ_RECORDS = 500;
const CLOSINGS = new Set(['session.closed', 'session.aborted']);

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {import('@sallyport/bus').Bus} bus */
export function auditLog(bus) {
  const places = new Map();
  const log = {
    /** Session → who, where, its events so far, its end. */
    sessions: new Map(),
    /** Marker → the one operation that was allowed with it. */
    markers: new Map(),
    /** Marker → operations that were refused with it. */
    denied: new Map(),
    leases: new Map(),
    control: [],
    events: 0,
    /** Records that were there already, with the same bytes. */
    again: 0,
    /** Reads what is new. */
    async read() {
      for (const [topic, take] of [
        [TOPICS.sessions, sessionRecord],
        [TOPICS.leases, leaseRecord],
        [TOPICS.control, controlRecord],
      ]) {
        for await (const record of newRecords(bus, places, topic)) {
          try {
            take(log, record);
          } catch (error) {
            // No waiting makes that good.
            throw Object.assign(error, { isFinal: true });
          }
        }
      }
      return log;
    },
  };
  return log;
}

async function* newRecords(bus, places, topic) {
  for (const { partition, next, first } of await bus.ends(topic)) {
    assert.equal(first, 0n, `${topic}/${partition} has lost its beginning`);
    const place = `${topic}/${partition}`;
    const known = places.get(place) ?? 0n;
    assert.ok(next >= known, `${place} has become shorter: it ended at ${known} and ends at ${next}`);
    for (let offset = known; offset < next;) {
      const records = await bus.read(topic, partition, offset, READ_RECORDS);
      if (records.length === 0) break;
      for (const record of records) {
        assert.equal(record.offset, offset, `${place} has a gap at ${offset}`);
        yield record;
        offset = record.offset + 1n;
        places.set(place, offset);
      }
    }
  }
}

function sessionRecord(log, { value, key, partition, offset }) {
  const event = JSON.parse(value.toString());
  const where = `${event.id} at ${partition}/${offset}`;
  log.events++;
  assert.equal(key, event.sessionid, `${where} stands under another key`);
  const hash = sha256(value);
  let session = log.sessions.get(event.sessionid);
  const known = session?.hashes[event.sequence];
  if (known !== undefined) {
    assert.equal(hash, known, `${where} is there twice with different bytes`);
    log.again++;
    return;
  }
  if (!session) {
    assert.equal(event.type, 'session.opened', `${where} is the first of its session`);
    session = {
      id: event.sessionid,
      subject: event.subject,
      source: event.source,
      resource: event.data.resource?.name,
      partition,
      hashes: [],
      contents: new Map(),
      unfinished: new Set(),
      operations: new Map(),
      end: undefined,
    };
    log.sessions.set(event.sessionid, session);
  }
  assert.equal(partition, session.partition, `${where} is in another partition than its session`);
  assert.equal(session.end, undefined, `${where} follows the end of its session`);
  assert.equal(event.source, session.source, `${where} was written by another edge`);
  assert.equal(event.sequence, session.hashes.length, `${where} follows number ${session.hashes.length - 1}`);
  if (event.sequence > 0) assert.equal(event.prev, session.hashes.at(-1), `${where} does not name the event before it`);
  session.hashes.push(hash);
  onceOnly(session, event, where);
  operation(log, session, event, where);
  if (CLOSINGS.has(event.type)) {
    session.end = { type: event.type, time: event.time, ...event.data };
    assert.equal(event.data.count, event.sequence, `${where} counts ${event.data.count} events before it`);
  }
}

/** The same fact never stands under two numbers: not a whole event, and not an operation, which has a number of its own. */
function onceOnly(session, event, where) {
  const fact =
    event.data.operation === undefined || event.type.startsWith('approval')
      ? `${event.type} ${event.time} ${sha256(JSON.stringify(event.data))}`
      : `${event.type} ${event.data.operation}`;
  assert.equal(session.contents.get(fact), undefined, `${where} is number ${session.contents.get(fact)} of its session once more`);
  session.contents.set(fact, event.sequence);
}

function operation(log, session, { type, sequence, data }, where) {
  if (type === 'operation.submitted') {
    const markers = new Set(JSON.stringify([data.text, data.input?.parameters]).match(MARKER));
    const entry = { session: session.id, operation: data.operation, submitted: sequence, markers, decision: data.verdict.decision };
    session.operations.set(data.operation, entry);
    session.unfinished.add(data.operation);
    for (const marker of markers) {
      if (data.verdict.decision === 'deny') {
        log.denied.set(marker, entry);
        continue;
      }
      const before = log.markers.get(marker);
      assert.equal(before, undefined, `${where}: ${marker} is asked for twice, first as ${before?.session}:${before?.submitted}`);
      log.markers.set(marker, entry);
    }
  }
  if (type === 'operation.completed') {
    const entry = session.operations.get(data.operation);
    assert.ok(entry, `${where} completes operation ${data.operation}, which nobody submitted`);
    entry.completed = sequence;
    entry.outcome = data.outcome;
    session.unfinished.delete(data.operation);
  }
}

function leaseRecord(log, { value }) {
  const { type, data, source } = JSON.parse(value.toString());
  const lease = log.leases.get(data.id) ?? { id: data.id, ends: [] };
  log.leases.set(data.id, lease);
  if (type === 'lease.issued') Object.assign(lease, { issued: true, session: data.session, login: data.login, by: source });
  else if (type === 'lease.dropped' || type === 'lease.swept') lease.ends.push(type);
  else lease.failures = (lease.failures ?? 0) + 1;
}

function controlRecord(log, { value }) {
  const { type, data, source, time } = JSON.parse(value.toString());
  log.control.push({ type, data, source, time });
}
