import { type Bus, type Consumption, TOPICS } from '@sallyport/bus';
import { Revocations } from '@sallyport/identity';
import { followTrusted, type Roster } from '@sallyport/trust';

export interface RevokedOptions {
  readonly bus: Bus;
  readonly roster: Roster;
  /** By how much the issuer's clock and the console's may differ. */
  readonly skewMs: number;
  readonly onError: (error: unknown) => void;
}

/** Who was revoked, from the beginning of the control stream. Resolves when all that was on it at the time of the call is known (P10). */
export async function followRevoked({
  skewMs,
  ...options
}: RevokedOptions): Promise<{ readonly revocations: Revocations; readonly reading: Consumption }> {
  const revocations = new Revocations(skewMs);
  const reading = await followTrusted({
    ...options,
    topic: TOPICS.control,
    onEvent: ({ type, data, time }) => {
      if (type === 'principal.revoked') revocations.revoke(data.subject, data.issuer, Date.parse(time));
    },
  });
  return { revocations, reading };
}
