import type { BusRecord } from '@sallyport/bus';
import type { Distrusted } from './signed-events.js';

/** One line of the log for each topic and reason in this time, in milliseconds: who floods a topic doesn't flood the log. */
export const DISTRUST_TOLD_EVERY_MS = 10_000;

export interface DistrustPorts {
  /** For the figures: every one of them. */
  readonly counted: (topic: string, reason: Distrusted) => void;
  readonly log: { warn(fields: object, message: string): void };
  readonly nowMs?: () => number;
}

/** What a reader does about records that nobody has to believe ({@link followTrusted} `onDistrusted`): counts all, and tells of some. */
export function distrustReport({ counted, log, nowMs = Date.now }: DistrustPorts): (reason: Distrusted, record: BusRecord) => void {
  const told = new Map<string, { atMs: number; untold: number }>();
  return (reason, { topic, partition, offset }) => {
    counted(topic, reason);
    const now = nowMs();
    const last = told.get(`${topic} ${reason}`);
    if (last && now - last.atMs < DISTRUST_TOLD_EVERY_MS && now >= last.atMs) {
      last.untold += 1;
      return;
    }
    told.set(`${topic} ${reason}`, { atMs: now, untold: 0 });
    const since = last?.untold ?? 0;
    log.warn({ topic, reason, partition, offset: offset.toString(), untold: since }, 'a record that nobody has to believe was passed over');
  };
}
