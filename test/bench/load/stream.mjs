import { join } from 'node:path';
import { runToEnd } from '../../harness/index.mjs';
import { watchCpu } from '../measure/cpu.mjs';

const CLIENT = join(import.meta.dirname, 'stream-client.mjs');
const TIMEOUT_MS = 120_000;

/** Reads a table once, shared out among the clients, by a client that looks at nothing but the end. */
export async function runStream({ clients, rows, peer }) {
  const cpu = peer.pid === undefined ? undefined : watchCpu(peer.pid);
  let result;
  try {
    const { host, port, user, password, database } = peer;
    const job = JSON.stringify({ host, port, user, database, clients, rows });
    const env = { ...process.env, PGPASSWORD: password };
    const { stdout } = await runToEnd(process.execPath, [CLIENT, job], { env, timeoutMs: TIMEOUT_MS });
    result = JSON.parse(stdout);
  } finally {
    cpu?.stop();
  }
  if (result.rows !== rows) throw new Error(`${result.rows} of ${rows} rows came`);
  const used = cpu?.between(result.fromMs, result.toMs);
  const share = used && (rows * (used.toMs - used.fromMs)) / (result.toMs - result.fromMs);
  return {
    perSecond: (1000 * rows) / (result.toMs - result.fromMs),
    ...(used ? { cpuMicros: used.micros / share, busiestThreadMicros: used.busiestThreadMicros / share } : {}),
  };
}
