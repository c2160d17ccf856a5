import { LeaseError } from '@sallyport/lease';

/** Runs one at a time, in order. */
export interface Serial {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Grants on the same tables by two transactions collide in the catalog, so they take turns. In the process rather than by an
 * advisory lock at the server: an agent could take that lock and keep it. At most `maxPending` wait; then `LEASE_LIMIT`.
 */
export function serial(maxPending: number): Serial {
  let pending = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    async run(work) {
      if (pending >= maxPending)
        throw new LeaseError('LEASE_LIMIT', `more than ${maxPending} credentials are waiting to be made or dropped`);
      pending += 1;
      const turn = last.then(work, work);
      last = turn.catch(() => undefined);
      try {
        return await turn;
      } finally {
        pending -= 1;
      }
    },
  };
}
