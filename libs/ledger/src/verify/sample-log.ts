/** A log of several sessions, interleaved, with its checkpoints: what the specs attack. */
import { generateSigningKey } from '@sallyport/events';
import type { SigningKey } from '@sallyport/events';
import { exampleSession } from '@sallyport/events/examples';
import type { ExampleSession } from '@sallyport/events/examples';
import { Checkpointer } from '../checkpointer.js';
import type { VerifyLogInput } from './verify-log.js';

export const LOG = 'sallyport.sessions.v1/0';
export const edgeKey: SigningKey = generateSigningKey('edge/one');
export const ledgerKey: SigningKey = generateSigningKey('ledger/one');
export const trusted = [edgeKey, ledgerKey];

export interface SampleLog {
  events: Buffer[];
  notes: string[];
}

/** `order` says whose turn it is, again and again, until all streams are written. */
export function interleave(sessions: readonly ExampleSession[], order: readonly number[] = [0], key: SigningKey = edgeKey): Buffer[] {
  const streams = sessions.map((options, index) => exampleSession(`s-${index}`, key, options).map(({ bytes }) => bytes));
  const events: Buffer[] = [];
  for (let turn = 0; streams.some((stream) => stream.length > 0); turn += 1) {
    const left = streams.filter((stream) => stream.length > 0);
    const next = left[(order[turn % order.length] ?? 0) % left.length]?.shift();
    if (next) events.push(next);
  }
  return events;
}

/** Checkpoints every `everyEvents` and at the end. */
export function signLog(events: readonly Buffer[], everyEvents = 5, key: SigningKey = ledgerKey): string[] {
  const checkpointer = new Checkpointer({ log: LOG, key, everyEvents, everyMs: 1e9 });
  const made = [checkpointer.finish(), ...events.map((bytes) => checkpointer.append(bytes, 0)), checkpointer.finish()];
  return made.flatMap((checkpoint) => (checkpoint ? [checkpoint.note] : []));
}

export function sampleLog(
  sessions: readonly ExampleSession[] = [{}, { operations: 3 }, { end: 'aborted' }],
  order = [0, 2, 1, 1],
): SampleLog {
  const events = interleave(sessions, order);
  return { events, notes: signLog(events) };
}

export function inputOf({ events, notes }: SampleLog, change: Partial<VerifyLogInput> = {}): VerifyLogInput {
  return {
    log: LOG,
    items: events.map((bytes, index) => ({ kind: 'event' as const, offset: BigInt(index), bytes, file: '0.log' })),
    checkpoints: notes.map((note) => ({ note })),
    keys: { trusted, origin: 'given' },
    ...change,
  };
}
