import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '@sallyport/config';
import { generateSigningKey, SessionStream } from '@sallyport/events';
import { EdgeSpool } from '../../../apps/edge/dist/spool.js';

const OPERATIONS_PER_SESSION = 100;

/** As an edge writes them: `operation.submitted` events of about a kilobyte, in the streams of many sessions. */
export function sessionEvents(count) {
  const key = generateSigningKey('edge/bench');
  const events = [];
  for (let session = 0; events.length < count; session++) {
    const id = `bench-${session}-${process.hrtime.bigint()}`;
    const stream = new SessionStream({ session: id, source: '/edge/bench', subject: 'agent' }, key);
    for (let operation = 1; operation <= OPERATIONS_PER_SESSION && events.length < count; operation++) {
      const data = { operation, text: `SELECT ${'x'.repeat(700)}`, verdict: { decision: 'allow' } };
      events.push({ key: id, value: stream.event('operation.submitted', data, Date.now()).bytes });
    }
  }
  return events;
}

export async function publish({ produce, events, batch }) {
  const began = performance.now();
  for (let at = 0; at < events.length; at += batch) await produce(events.slice(at, at + batch));
  return { perSecond: (1000 * events.length) / (performance.now() - began) };
}

/** A spool that filled while the bus was away, from the moment when it is back until it is empty. */
export async function catchUp({ bus, events, directory }) {
  const spoolDirectory = mkdtempSync(join(directory, 'spool-'));
  const nothing = () => undefined;
  let away = true;
  const spool = await EdgeSpool.open({
    directory: spoolDirectory,
    signingKey: generateSigningKey('edge/bench'),
    bus: { produce: (topic, records) => (away ? Promise.reject(new Error('away')) : bus.produce(topic, records)) },
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    nowMs: Date.now,
    limits: DEFAULT_LIMITS,
    recorded: nothing,
    lost: (error) => {
      throw error;
    },
  });
  try {
    let last = -1n;
    for (const { key, value } of events)
      last = spool.append({ session: key, type: 'operation.submitted', operation: 1, bytes: value, purpose: 'intent', mode: 'buffered' });
    await spool.durable(last, 'disk');
    away = false;
    const began = performance.now();
    while (!spool.isDurable(last, 'replicated')) await new Promise((resolve) => setTimeout(resolve, 1));
    return { perSecond: (1000 * events.length) / (performance.now() - began) };
  } finally {
    await spool.close(0);
    rmSync(spoolDirectory, { recursive: true, force: true });
  }
}
