import type { LeaseBook } from './book.js';
import type { Ends } from './ends.js';
import { LeaseError } from './errors.js';
import type { LeaseSource } from './source.port.js';

export interface SweepCount {
  readonly swept: number;
  readonly failed: number;
}

export interface SweepOptions {
  readonly sources: ReadonlyMap<string, LeaseSource>;
  readonly book: LeaseBook;
  readonly ends: Ends;
  readonly settled: () => Promise<void>;
  /** Leases whose end came before this are over, whoever's clock it was by. */
  readonly expiredBeforeMs: () => number;
  readonly onError: (error: unknown) => void;
}

/** Drops at every target what is not live or has expired, and puts on record what ended without anybody saying so. Never rejects. */
export async function sweepAll({ sources, book, ends, settled, expiredBeforeMs, onError }: SweepOptions): Promise<SweepCount> {
  let swept = 0;
  let failed = 0;
  /** Resources that another replica is sweeping. */
  const others = new Set<string>();
  /** Leases that could not be dropped just now: the next sweep tries again. */
  const stayed = new Set<string>();

  const sweepSource = async (source: LeaseSource): Promise<void> => {
    const result = await source.sweep((id) => book.isLive(id), settled);
    if (result.skipped) others.add(source.resource);
    swept += result.swept.length;
    failed += result.failed.length;
    for (const { id, login } of result.swept) {
      // A drop that was under way at the same time records the end itself.
      if (!ends.isUnderWay(id) && !book.hasEnded(id)) await ends.finish({ id, login, resource: source.resource }, 'swept');
    }
    for (const { id, login, code } of result.failed) {
      stayed.add(id);
      const error = new LeaseError(code as LeaseError['code'], 'an orphan could not be dropped');
      await ends.failed({ id, login, resource: source.resource }, error);
    }
  };

  for (const source of sources.values()) {
    await sweepSource(source).catch((error: unknown) => {
      failed += 1;
      onError(error);
    });
  }
  const expired = book.expired(expiredBeforeMs());
  // A vendor that was killed between the record and the role, or between the end and its record, has left no role to sweep.
  const lapsed = book.lapsed().filter((lease) => !expired.includes(lease) && !stayed.has(lease.id));
  for (const lease of [...expired, ...lapsed]) {
    const source = sources.get(lease.resource);
    if (!source || others.has(lease.resource) || book.hasEnded(lease.id) || ends.isUnderWay(lease.id)) continue;
    try {
      await ends.end(source, lease.id, 'swept', lapsed.includes(lease));
      if (book.hasEnded(lease.id)) swept += 1;
    } catch (error) {
      failed += 1;
      onError(error);
    }
  }
  return { swept, failed };
}
