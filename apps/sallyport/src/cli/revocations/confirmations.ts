import type { RevocationView } from '@sallyport/console';
import type { ConsoleClient } from '../console-client.js';
import { CliError, EXIT } from '../exit.js';
import { type Io, printable } from '../io.js';
import { count } from '../units.js';

const POLL_MS = 100;
/** The newest ones of a principal, among which the one that was just made is. */
const LOOK_AT = 20;

/**
 * P10: waits until every edge has confirmed a revocation, at most `waitMs`, and prints who has and who has not.
 * @throws CliError with exit code 1 when some have not
 */
export async function printConfirmations(
  client: ConsoleClient,
  { id, principal, waitMs }: { readonly id: string; readonly principal: string; readonly waitMs: number },
  io: Io,
): Promise<void> {
  const revocation = await settled(client, id, principal, waitMs, io);
  const again = { hint: `Look again: sallyport revocations list --principal ${printable(principal)}` };
  if (!revocation) throw new CliError(EXIT.found, 'the revocation is on record, and the read model has not got to it yet', again);
  const [confirmed, missing] = [revocation.edges.filter(isConfirmed), revocation.edges.filter((one) => !isConfirmed(one))];
  for (const { edge, sessions } of confirmed) io.out(`Confirmed by ${printable(edge)}: ${count(sessions ?? 0, 'session')} ended there.\n`);
  for (const { edge } of missing) io.out(`Not confirmed by ${printable(edge)}.\n`);
  if (missing.length === 0) return;
  throw new CliError(EXIT.found, `${count(missing.length, 'edge')} did not confirm it yet`, {
    hint: `An edge that is stopped confirms when it is back, before it lets anybody in. ${again.hint}`,
  });
}

const isConfirmed = ({ state }: RevocationView['edges'][number]): boolean => state === 'confirmed';

async function settled(client: ConsoleClient, id: string, principal: string, waitMs: number, io: Io): Promise<RevocationView | undefined> {
  for (const deadline = Date.now() + waitMs; ;) {
    const newest = await client.all<RevocationView>('revocations', { principal }, LOOK_AT);
    const found = newest.find((one) => one.id === id);
    if (found?.confirmed || Date.now() >= deadline || io.signal.aborted) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
