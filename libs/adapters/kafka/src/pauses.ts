import { setMaxListeners } from 'node:events';
import { KafkaFault, passes } from './faults.js';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2000;

/** Pauses that grow while nothing works, with some chance in them so that clients don't come back all at once. */
export class Pauses {
  #next = FIRST_PAUSE_MS;

  constructor(
    private readonly signal: AbortSignal,
    private readonly longestMs: number = LONGEST_PAUSE_MS,
  ) {}

  reset(): void {
    this.#next = FIRST_PAUSE_MS;
  }

  /** Ends early when the signal is given, without an error. */
  async wait(atMostMs = Infinity): Promise<void> {
    const ms = Math.min(this.#next * (0.5 + Math.random() / 2), atMostMs);
    this.#next = Math.min(this.#next * 2, this.longestMs);
    await pause(ms, this.signal);
  }
}

/** Ends early when the signal is given, without an error. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** As many may listen as there are partitions: Node warns of more than ten. */
export function forMany(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal);
  return controller;
}

/**
 * Aborts with its parent, or alone. Must be aborted in the end, so that its parent forgets it: what `AbortSignal.any` makes, Node 20 never
 * forgets once somebody has listened to it.
 */
export function linkedTo(parent: AbortSignal): AbortController {
  const child = forMany(new AbortController());
  const abort = (): void => child.abort();
  if (parent.aborted) abort();
  parent.addEventListener('abort', abort);
  child.signal.addEventListener('abort', () => parent.removeEventListener('abort', abort));
  return child;
}

/** Tries until it works, fails for good, or the time is over; then the last fault is thrown. */
export async function persist<T>(timeoutMs: number, signal: AbortSignal, work: (leftMs: number) => Promise<T>): Promise<T> {
  const until = Date.now() + timeoutMs;
  const pauses = new Pauses(signal);
  for (;;) {
    if (signal.aborted) throw new KafkaFault('CLOSED', 'the bus is closed');
    try {
      return await work(Math.max(1, until - Date.now()));
    } catch (error) {
      const leftMs = until - Date.now();
      if (!passes(error) || leftMs <= 0) throw signal.aborted ? new KafkaFault('CLOSED', 'the bus is closed') : error;
      await pauses.wait(leftMs);
    }
  }
}

/** Rejects with what `late` makes when the time is over first; `work` goes on unheard. */
export function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Rejects with `CLOSED` as soon as the signal is given; `work` goes on unheard. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new KafkaFault('CLOSED', 'nobody waits any more'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
