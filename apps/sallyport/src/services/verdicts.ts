import type { Config, Limits } from '@sallyport/config';
import type { VerdictPort } from '@sallyport/verdict';
import { asking, type Party } from './asking.js';
import type { LivePolicy } from './live-policy.js';
import { liveRemoteVerdicts, liveVerdicts } from './live-verdicts.js';

/** A decision that has no answer after this part of its time is asked again, of another decision service if there is one. */
const RESENDS = 8;

export interface OpenVerdicts {
  readonly verdicts: VerdictPort;
  close(): Promise<void>;
}

/** Verdicts as the configuration wants them: of the decision service over the bus, or of the same engine in this process (ADR 16). */
export async function openVerdicts(
  decisions: Config['policy']['decisions'],
  live: LivePolicy,
  party: Party,
  limits: Limits,
): Promise<OpenVerdicts> {
  if (decisions === 'local') return { verdicts: liveVerdicts(live, limits, party.log), close: async () => undefined };
  const client = await asking('decide', party, limits);
  const waiting = { timeoutMs: limits.decisionTimeoutMs, resendAfterMs: Math.ceil(limits.decisionTimeoutMs / RESENDS) };
  return {
    verdicts: liveRemoteVerdicts(live, (input) => client.request('decide', input, waiting), limits),
    close: () => client.close(),
  };
}
