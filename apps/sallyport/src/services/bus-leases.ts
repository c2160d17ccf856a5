import { type LeasePort, tokenBinding } from '@sallyport/lease';
import { type SealKey, sealTo } from '@sallyport/trust';

export interface BusLeasesOptions {
  /** Asks a vendor, whichever gets it. */
  request<T>(pattern: string, data: unknown, options: { readonly timeoutMs: number }): Promise<T>;
  /** Of the vendors that are there now: each must be able to open what any of them may get. */
  sealKeys(): readonly SealKey[];
  readonly timeoutMs: number;
}

/** The vendors, asked over the bus. The agent's token crosses it sealed to them, and to this session (P3). */
export function busLeases({ request, sealKeys, timeoutMs }: BusLeasesOptions): LeasePort {
  return {
    async obtain({ token, ...open }) {
      const sealedToken = await sealTo(sealKeys(), token, tokenBinding(open));
      return request('lease.obtain', { ...open, sealedToken }, { timeoutMs });
    },
    async drop(id, resource) {
      await request('lease.drop', { id, resource }, { timeoutMs });
    },
  };
}
