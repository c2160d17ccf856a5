import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { runPgbench } from './load/pgbench.mjs';
import { runStream } from './load/stream.mjs';
import { CPU_IS_KNOWN, settled } from './measure/cpu.mjs';
import { interleaved } from './measure/rounds.mjs';
import { startPgbouncer } from './peers/pgbouncer.mjs';
import { startBenchSallyport, VARIANTS } from './peers/sallyport.mjs';
import { startBenchTarget } from './peers/target-postgres.mjs';
import { findProgram, versionOf } from './programs.mjs';

const CLIENTS = [1, 8];
const SETTLE_MAX_MS = 10_000;
/** Before the first round: code that was just loaded is slow for its first thousands of runs, and no gateway is started for a second. */
const WARM_UP_CLIENTS = 8;

const WORKS = [
  { work: 'pgbench -S, prepared', args: ['-S', '-M', 'prepared'] },
  { work: 'pgbench -S, simple', args: ['-S', '-M', 'simple'] },
  { work: 'pgbench TPC-B, simple', args: ['-M', 'simple'] },
  { work: 'pgbench -S, a connection each', args: ['-S', '-M', 'simple', '-C'] },
  { work: 'a million rows', stream: true },
];

/** The same work straight at the server, through pgbouncer and through the edge. */
export async function bench({ rounds, seconds, command, onStop, say }) {
  const pgbench = findProgram('pgbench');
  if (!pgbench) throw new Error('pgbench is missing: install the PostgreSQL client and contrib programs (Debian: postgresql-15)');
  const skipped = CPU_IS_KNOWN ? [] : [{ name: 'CPU', reason: 'this platform has no /proc' }];
  const base = mkdtempSync(join(os.tmpdir(), 'sallyport-bench-'));
  // Servers that refuse to run as root have to get in.
  chmodSync(base, 0o711);
  onStop(async () => rmSync(base, { recursive: true, force: true }));
  const directory = (name) => {
    mkdirSync(join(base, name));
    return join(base, name);
  };

  say('starting the target and filling it');
  const target = await startBenchTarget({ pgbench });
  onStop(() => target.stop());
  const versions = { PostgreSQL: target.version, pgbench: versionOf(pgbench) };
  const peers = [{ name: 'direct', ...target, pid: undefined }];

  const pgbouncer = findProgram('pgbouncer');
  if (pgbouncer) {
    const running = await startPgbouncer({ program: pgbouncer, directory: directory('pgbouncer'), target });
    onStop(() => running.stop());
    versions.pgbouncer = versionOf(pgbouncer);
    peers.push({ name: 'pgbouncer', ...running });
  } else skipped.push({ name: 'pgbouncer', reason: 'not installed' });

  say('starting sallyport');
  const sallyport = await startBenchSallyport({ command, target });
  onStop(() => sallyport.stop());
  for (const { name, resource } of VARIANTS) peers.push({ name: `edge: ${name}`, ...sallyport, database: resource });

  const logs = directory('logs');
  const cases = CLIENTS.flatMap((clients) =>
    WORKS.map(({ work, args, stream }) => ({
      work,
      clients,
      peers: peers.map((peer) => ({
        name: peer.name,
        async run() {
          const measured = stream
            ? await runStream({ clients, rows: target.streamedRows, peer: withCpu(peer) })
            : await runPgbench({ program: pgbench, args, clients, seconds, peer: withCpu(peer), directory: logs });
          if (peer.pid !== undefined) await settled(peer.pid, SETTLE_MAX_MS);
          return measured;
        },
      })),
    })),
  );
  say('warming up');
  for (const peer of peers.filter(({ pid }) => pid !== undefined)) {
    for (const { args } of WORKS.filter(({ stream, args }) => !stream && !args.includes('-C')))
      await runPgbench({ program: pgbench, args, clients: WARM_UP_CLIENTS, seconds, peer: withCpu(peer), directory: logs });
    await settled(peer.pid, SETTLE_MAX_MS);
  }
  const rows = await interleaved({ cases, rounds, baselines: ['pgbouncer', 'direct'], say });
  return {
    title: 'Postgres: what the edge reaches',
    unit: 'transactions or rows',
    note: [
      'CPU is the proxy process alone, all its threads, for each transaction (or row): pgbouncer’s, or that of `sallyport up` with all its services in one process. The busiest thread of that one is the edge’s.',
    ],
    baselines: ['pgbouncer', 'direct'],
    versions,
    skipped,
    rows,
  };
}

function withCpu(peer) {
  return CPU_IS_KNOWN ? peer : { ...peer, pid: undefined };
}
