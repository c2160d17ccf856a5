import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { EmbeddedPostgresError } from './errors.js';

const FAST_STOP_TIMEOUT_MS = 10_000;
const IMMEDIATE_STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 20;

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Lines of postmaster.pid (PostgreSQL source, `miscadmin.h`): 1 pid, 2 data directory, 4 port, 8 status. */
export interface PidFile {
  readonly pid: number;
  readonly dataDir: string;
  readonly port: number;
  readonly status: string;
}

export async function readPidFile(dir: string): Promise<PidFile | null> {
  const text = await readFile(path.join(dir, 'postmaster.pid'), 'utf8').catch(() => null);
  if (text === null) return null;
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return null;
  return { pid, dataDir: lines[1] ?? '', port: Number(lines[3] ?? 0), status: (lines[7] ?? '').trim() };
}

/** The process's parent, and whether it is a postgres that works in `dir`. A pid alone proves nothing: it may have been given anew. */
async function examine(pid: number, dir: string): Promise<{ ours: boolean; parent: number } | null> {
  try {
    if (process.platform === 'linux') {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may hold spaces and parentheses; the fields follow the last one.
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const [program] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
      const ours = path.basename(program ?? '') === 'postgres' && (await readlink(`/proc/${pid}/cwd`)) === dir;
      return { ours, parent };
    }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=,command=', '-p', String(pid)]);
    const [, parent, command] = /^\s*(\d+)\s+(.*)$/s.exec(stdout) ?? [];
    return { ours: command !== undefined && command.includes('postgres') && command.includes(dir), parent: Number(parent) };
  } catch {
    return null;
  }
}

async function gone(pid: number, timeoutMs: number): Promise<boolean> {
  for (let waited = 0; waited < timeoutMs; waited += POLL_MS) {
    if (!isAlive(pid)) return true;
    await sleep(POLL_MS);
  }
  return !isAlive(pid);
}

/**
 * Ends the server that a killed process left behind in `dir`. `ownerPid` is the process that started it (null when that isn't
 * known): as long as that one lives and is still its parent, the server is in use and the call rejects.
 */
export async function stopStale(dir: string, ownerPid: number | null): Promise<'none' | 'stopped'> {
  const file = await readPidFile(dir);
  if (file === null || !isAlive(file.pid)) return 'none';
  const found = await examine(file.pid, await realpath(dir));
  // Another program under a reused pid: PostgreSQL's own lock file check settles the rest.
  if (found === null || !found.ours) return 'none';
  if (ownerPid === null || (found.parent === ownerPid && isAlive(ownerPid))) {
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_IN_USE', `${dir} is in use by a running PostgreSQL (process ${file.pid})`);
  }
  for (const [signal, timeoutMs] of [
    ['SIGINT', FAST_STOP_TIMEOUT_MS],
    ['SIGQUIT', IMMEDIATE_STOP_TIMEOUT_MS],
  ] as const) {
    try {
      process.kill(file.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'stopped';
      throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_IN_USE', `process ${file.pid}, left behind in ${dir}, can't be ended`, {
        cause: error,
      });
    }
    if (await gone(file.pid, timeoutMs)) return 'stopped';
  }
  throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_IN_USE', `process ${file.pid}, left behind in ${dir}, does not end`);
}
