import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd } from '../../harness/index.mjs';
import { watchCpu } from '../measure/cpu.mjs';
import { percentile } from '../measure/spread.mjs';

const START_TIMEOUT_MS = 60_000;

/**
 * One run of pgbench against a peer. CPU is the proxy's (`peer.pid`), for each transaction between the first and the last, without
 * the connecting before it.
 */
export async function runPgbench({ program, args, clients, seconds, peer, directory }) {
  const prefix = `pgbench-${Date.now()}`;
  const cpu = peer.pid === undefined ? undefined : watchCpu(peer.pid);
  let output;
  try {
    const always = ['-n', '-l', `--log-prefix=${join(directory, prefix)}`, '-c', String(clients), '-j', '1', '-T', String(seconds)];
    ({ stdout: output } = await runToEnd(
      program,
      [...always, ...args, '-h', peer.host, '-p', String(peer.port), '-U', peer.user, peer.database],
      {
        env: { ...process.env, PGPASSWORD: peer.password, PGSSLMODE: 'disable', PGGSSENCMODE: 'disable' },
        timeoutMs: seconds * 1000 + START_TIMEOUT_MS,
      },
    ));
  } finally {
    cpu?.stop();
  }
  const [perSecond] = numbers(/^tps = ([\d.]+)/m, output);
  const [failed] = numbers(/^number of failed transactions: (\d+)/m, output);
  if (perSecond === undefined) throw new Error('pgbench said no tps');
  if (failed) throw new Error(`${failed} transactions failed`);
  const transactions = readLogs(directory, prefix);
  const durations = transactions.map(({ micros }) => micros);
  return {
    perSecond,
    ...(durations.length === 0 ? {} : { p50Micros: percentile(durations, 0.5), p99Micros: percentile(durations, 0.99) }),
    ...perTransaction(cpu, transactions),
  };
}

function perTransaction(cpu, transactions) {
  if (!cpu || transactions.length === 0) return {};
  const used = cpu.between(transactions[0].atMs, transactions.at(-1).atMs);
  if (!used) return {};
  const done = transactions.filter(({ atMs }) => atMs > used.fromMs && atMs <= used.toMs).length;
  return done === 0 ? {} : { cpuMicros: used.micros / done, busiestThreadMicros: used.busiestThreadMicros / done };
}

/** Lines of `client transaction micros script seconds micros` (pgbench, "Per-Transaction Logging"), in the order of their ends. */
function readLogs(directory, prefix) {
  const files = readdirSync(directory).filter((name) => name.startsWith(prefix));
  const transactions = files.flatMap((name) => {
    const lines = readFileSync(join(directory, name), 'utf8').trimEnd().split('\n');
    rmSync(join(directory, name));
    return lines.flatMap((line) => {
      const [, , micros, , atSeconds, atMicros] = line.split(' ').map(Number);
      return Number.isFinite(micros) ? [{ micros, atMs: atSeconds * 1000 + atMicros / 1000 }] : [];
    });
  });
  return transactions.sort((one, other) => one.atMs - other.atMs);
}

function numbers(pattern, text) {
  return (pattern.exec(text) ?? []).slice(1).map(Number);
}
